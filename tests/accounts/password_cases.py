"""One table of passwords, for the server and for the circles in the browser (S9, S10).

Each case is a password, and the codes of the requirements that it doesn't meet.
"""

SHORT = "password_too_short"
NO_UPPER = "password_no_uppercase"
NO_LOWER = "password_no_lowercase"
NO_DIGIT = "password_no_digit"
NO_SPECIAL = "password_no_special"

# In the order of the source.
SPECIALS = list("!@#£%^&*()-_=+`~'\",<.>/?[{]}\\|;:")

PASSWORD_CASES: list[tuple[str, set[str]]] = [
    ("", {SHORT, NO_UPPER, NO_LOWER, NO_DIGIT, NO_SPECIAL}),
    # The length: 7 are refused, 8 are taken, counted in code points.
    ("Aa1!aaa", {SHORT}),
    ("Aa1!aaaa", set()),
    ("Aa1!😀😀😀", {SHORT}),
    ("Aa1!😀😀😀😀", set()),
    ("Aa1!" + "x" * 252, set()),
    # Each of the specials counts alone; the dollar may be used and doesn't count.
    *[(f"Abcdefg1{special}", set()) for special in SPECIALS],
    ("Abcdefg1$", {NO_SPECIAL}),
    ("Abcdefg1$!", set()),
    ("Abcdefg1€", {NO_SPECIAL}),
    ("Abcdefg1–", {NO_SPECIAL}),
    # Spaces are characters like others, also at the ends.
    ("Abcd1! ", {SHORT}),
    ("Abcde1! ", set()),
    (" Abcde1!", set()),
    ("Abcdefg1 ", {NO_SPECIAL}),
    # Upper, lower and digit: one at a time, and by the classes of Unicode.
    ("abcdefg1!", {NO_UPPER}),
    ("ABCDEFG1!", {NO_LOWER}),
    ("Abcdefgh!", {NO_DIGIT}),
    ("12345678!", {NO_UPPER, NO_LOWER}),
    ("Äöüßäöü1!", set()),
    ("Ωμέγα-2026", set()),
    ("Бетон-2026", set()),
    ("Abcdefg٣!", set()),  # ARABIC-INDIC DIGIT THREE, Nd
    ("Abcdefg²!", {NO_DIGIT}),  # SUPERSCRIPT TWO, No
    ("AbcdefgⅫ!", {NO_DIGIT}),  # ROMAN NUMERAL TWELVE, Nl
    ("ǅbcdefg1!", {NO_UPPER}),  # a title case letter, Lt
    ("漢字漢字漢字1!", {NO_UPPER, NO_LOWER}),
    ("𝐀𝐛𝐜𝐝𝟏!😀😀", set()),  # letters and digits beyond the first 65,536
]

// A link in a mail opens a new window, as it does in a mail program (S8).
for (const link of document.querySelectorAll(".letter-text a")) {
    link.target = "_blank";
    link.rel = "noopener";
}

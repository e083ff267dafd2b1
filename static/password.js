// What helps while a password is typed: circles that fill (S10), a button that shows
// the password, a hint when Confirm differs. The server checks everything again.

const PAUSE = 900; // A screen reader should not be interrupted at every key.

function hiddenText(text = "") {
    const element = document.createElement("span");
    element.className = "visually-hidden";
    element.textContent = text;
    return element;
}

function liveRegion(after) {
    const region = document.createElement("p");
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    after.append(region);
    return region;
}

function describe(input, id) {
    const ids = new Set((input.getAttribute("aria-describedby") ?? "").split(/\s+/));
    ids.delete("");
    ids.add(id);
    input.setAttribute("aria-describedby", [...ids].join(" "));
}

function compile(source) {
    try {
        return new RegExp(source, "u");
    } catch {
        return null; // Left to the server, like a rule without a pattern.
    }
}

/** One line of the requirements that a browser can check. */
class Rule {
    constructor(item, pattern) {
        this.item = item;
        this.pattern = pattern;
        this.sentence = item.lastElementChild.textContent.trim();
        this.state = item.appendChild(hiddenText());
    }

    mark(password) {
        this.isMet = this.pattern.test(password);
        this.item.classList.toggle("is-met", this.isMet);
        this.state.textContent = this.isMet ? ", met" : ", not yet met";
    }
}

function summary(rules) {
    const missing = rules.filter((rule) => !rule.isMet);
    if (!missing.length) return "The password meets all requirements shown.";
    const count = `${rules.length - missing.length} of ${rules.length} requirements met.`;
    return `${count} Missing: ${missing.map((rule) => rule.sentence).join("; ")}.`;
}

function watchRequirements(list) {
    const input = document.getElementById(list.dataset.password);
    if (!input) return;
    const rules = [];
    for (const item of list.querySelectorAll("[data-pattern]")) {
        const pattern = compile(item.dataset.pattern);
        if (pattern) rules.push(new Rule(item, pattern));
    }
    const box = list.parentElement;
    const region = liveRegion(box);
    if (box.id) describe(input, box.id);
    let timer;
    const mark = () => {
        for (const rule of rules) rule.mark(input.value);
    };
    input.addEventListener("input", () => {
        mark();
        clearTimeout(timer);
        timer = setTimeout(() => (region.textContent = summary(rules)), PAUSE);
    });
    mark();
}

function addToggle(input) {
    const box = document.createElement("div");
    box.className = "password-box";
    input.replaceWith(box);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "password-toggle";
    button.setAttribute("aria-controls", input.id);
    const verb = document.createTextNode("Show");
    const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`);
    button.append(verb, hiddenText(` what stands in ${label?.textContent.trim() ?? "the field"}`));
    box.append(input, button);
    const show = (isShown) => {
        input.type = isShown ? "text" : "password";
        verb.data = isShown ? "Hide" : "Show";
    };
    button.addEventListener("click", () => {
        show(input.type === "password");
        input.focus();
    });
    // Password managers save what was in a password field when the form is sent.
    input.form?.addEventListener("submit", () => show(false));
}

function watchConfirm(password, confirm) {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.id = `${confirm.id}_hint`;
    hint.setAttribute("role", "status");
    confirm.closest(".field").append(hint);
    describe(confirm, hint.id);
    let isBlurred = false;
    const compare = () => {
        const isSame = password.value === confirm.value;
        const isSilent = !confirm.value || (!isSame && !isBlurred);
        hint.textContent = isSilent
            ? ""
            : isSame
              ? "The same password."
              : "The two passwords differ. Type the same in both fields.";
        hint.classList.toggle("good", !isSilent && isSame);
        hint.classList.toggle("bad", !isSilent && !isSame);
    };
    confirm.addEventListener("blur", () => {
        isBlurred = true;
        compare();
    });
    confirm.addEventListener("input", compare);
    password.addEventListener("input", compare);
}

// The fields are moved into their boxes first: the field that has the focus keeps it.
const focused = document.activeElement;
document.querySelectorAll('input[type="password"]').forEach(addToggle);
focused?.focus?.();
document.querySelectorAll("[data-password]").forEach(watchRequirements);

const password = document.querySelector('input[name="password1"]');
const confirm = document.querySelector('input[name="password2"]');
if (password && confirm) watchConfirm(password, confirm);

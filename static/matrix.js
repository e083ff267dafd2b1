// The head of each column of the matrix sets that level for all tools.
for (const head of document.querySelectorAll(".matrix [data-level]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.setAttribute("aria-label", `Set all tools to ${button.textContent}`);
    button.addEventListener("click", () => {
        const level = CSS.escape(head.dataset.level);
        for (const radio of document.querySelectorAll(`.matrix input[value="${level}"]`)) {
            radio.checked = !radio.disabled || radio.checked;
        }
    });
    head.append(button);
}

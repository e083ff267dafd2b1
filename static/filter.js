// Narrows a long list while one types. Without script the list is simply whole.
for (const box of document.querySelectorAll("[data-filter]")) {
    const input = box.querySelector("input");
    const count = box.querySelector("[data-count]");
    const items = [...document.querySelectorAll(`#${box.dataset.filter} > li`)];
    const plain = (text) =>
        text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
    input.addEventListener("input", () => {
        const words = plain(input.value).split(/\s+/);
        let shown = 0;
        for (const item of items) {
            const text = plain(item.textContent);
            // What is chosen stays in sight.
            item.hidden =
                !words.every((word) => text.includes(word)) &&
                !item.querySelector(":checked");
            shown += item.hidden ? 0 : 1;
        }
        count.textContent = `${shown} of ${items.length} shown`;
    });
    input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") event.preventDefault();
    });
    box.hidden = false;
}

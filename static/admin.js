// Django names the fields of a tabular inline by their column only for the eye: here
// each field without a label takes the heading of its column as its name.
function nameFields(root) {
    for (const cell of root.querySelectorAll(".tabular :is(td[class*='field-'], td.delete)")) {
        const column = cell.closest("table").querySelector("thead tr")?.children;
        const heading = column?.[cell.cellIndex]?.textContent.trim();
        if (!heading) continue;
        cell.dataset.heading = heading; // which a phone shows: admin.css
        for (const field of cell.querySelectorAll("input, select, textarea")) {
            if (field.type === "hidden" || field.labels?.length) continue;
            field.setAttribute("aria-label", heading);
        }
    }
}

// The box that Select2 puts in the place of a select takes over the name of the field.
function nameBoxes(root) {
    for (const box of root.querySelectorAll(".select2-selection")) {
        const field = box.closest(".select2").previousElementSibling;
        const name = field?.ariaLabel ?? field?.labels?.[0]?.textContent.trim();
        if (!name) continue;
        box.removeAttribute("aria-labelledby");
        box.ariaLabel = name;
        box.querySelector(".select2-selection__rendered").ariaLabel = name;
        // Where several can be chosen one types in the box itself.
        const typed = box.querySelector(".select2-search__field");
        if (typed) typed.ariaLabel = name;
    }
}

// Nor does an open box say which list belongs to it, and what is to be typed.
function nameOpenBox({ target }) {
    const box = target.nextElementSibling.querySelector(".select2-selection");
    box.setAttribute("aria-controls", box.getAttribute("aria-owns"));
    const typed = document.querySelector(".select2-container--open .select2-search__field");
    if (typed) typed.ariaLabel = `Search: ${box.ariaLabel ?? ""}`;
}

function nameAll() {
    nameFields(document);
    nameBoxes(document);
}

// On a phone the cells of a list stand below each other: all but the first say there
// which column they are of.
function headCells() {
    const headings = [...document.querySelectorAll("#result_list thead th")];
    const first = headings.findIndex((each) => !each.matches(".action-checkbox-column"));
    for (const cell of document.querySelectorAll("#result_list tbody :is(th, td)")) {
        if (cell.cellIndex <= first) continue;
        const heading = headings[cell.cellIndex]?.querySelector(".text");
        if (heading) cell.dataset.heading = heading.textContent.trim();
        const isPicture = cell.querySelector("img");
        const saysNothing = !isPicture && /^[-—]?$/.test(cell.textContent.trim());
        cell.classList.toggle("says-nothing", saysNothing);
    }
}

// An address breaks after its @ and before a dot, not within a word.
function softenAddresses(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
        if (/\S@\S/.test(walker.currentNode.data)) texts.push(walker.currentNode);
    }
    for (const text of texts) {
        const parts = text.data.split(/(?<=@)|(?=\.\w)/);
        const soft = parts.flatMap((part) => [document.createElement("wbr"), part]);
        text.replaceWith(...soft.slice(1));
    }
}

// Its label is a picture of a magnifier.
document.getElementById("searchbar")?.setAttribute("aria-label", "Search");
headCells();
nameFields(document);
document.querySelectorAll("#content table").forEach(softenAddresses);
window.django?.jQuery?.(() => nameBoxes(document)); // after Select2 has begun the same way
window.django?.jQuery?.(document).on("select2:open", nameOpenBox);
document.addEventListener("formset:added", nameAll);

// Django names the fields of a tabular inline by their column only for the eye: here
// each field without a label takes the heading of its column as its name.
function nameFields(root) {
    for (const cell of root.querySelectorAll(".tabular :is(td[class*='field-'], td.delete)")) {
        const column = cell.closest("table").querySelector("thead tr")?.children;
        const heading = column?.[cell.cellIndex]?.textContent.trim();
        if (!heading) continue;
        for (const field of cell.querySelectorAll("input, select, textarea")) {
            if (field.type === "hidden" || field.labels?.length) continue;
            field.setAttribute("aria-label", heading);
        }
    }
}

nameFields(document);
document.addEventListener("formset:added", () => nameFields(document));

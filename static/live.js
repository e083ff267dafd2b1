// Keeps the parts of a page that carry `data-live` up to date, as long as one of them
// says "on". Without script one loads the page again.
const EVERY = 2000;
const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY));

async function load() {
    const answer = await fetch(location.href).catch(() => null); // no network: try again
    if (!answer) return document;
    // The session has ended, or another company is selected: what is shown stays.
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
}

const holdsText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());

// Only what differs is replaced: the focus stays where it is, and a screen reader hears
// of a sentence that has changed, and of nothing else.
function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    const children = [...old.children];
    const isAlike = children.length > 0 && children.length === fresh.children.length;
    if (isAlike && !holdsText(old) && !holdsText(fresh)) {
        children.forEach((child, n) => renew(child, fresh.children[n]));
    } else {
        old.replaceChildren(...fresh.childNodes);
    }
}

while (document.querySelector('[data-live="on"]')) {
    await pause();
    if (document.hidden) continue;
    const page = await load();
    if (!page) break;
    for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(part.id);
        if (fresh && page !== document) renew(part, fresh);
    }
}

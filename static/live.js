// Keeps the parts of a page that carry `data-live` up to date, as long as one of them
// says "on". Without script one loads the page again.
const EVERY = 2000;
const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY));

async function load() {
    const answer = await fetch(location.href).catch(() => null);
    // No network, or the server is being restarted: try again.
    if (!answer || answer.status >= 500) return document;
    if (answer.ok && !answer.redirected) {
        return new DOMParser().parseFromString(await answer.text(), "text/html");
    }
    // Logged out, or the company was switched: the page itself says so.
    location.reload();
    return null;
}

const holdsText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());

// Only what differs is replaced: the focus stays where it is, and a screen reader hears
// of a sentence that has changed, and of nothing else.
function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    const children = [...old.children];
    const isAlike =
        children.length > 0 &&
        children.length === fresh.children.length &&
        children.every((child, n) => child.tagName === fresh.children[n].tagName);
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

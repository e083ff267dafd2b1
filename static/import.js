// Tells how far an import is, and shows the whole page when its step has ended. Without
// script the page has a link for that; the work is the worker's in either case.
const part = document.querySelector("[data-progress]");
const bar = part.querySelector("progress");
const status = part.querySelector("[role=status]");
const EVERY = 1000; // milliseconds
const numbers = new Intl.NumberFormat("en");

async function look() {
    const answer = await fetch(part.dataset.progress);
    // Logged out, or the company was switched: the page itself says so.
    if (!answer.ok || answer.redirected) return location.reload();
    const { done, total, is_working } = await answer.json();
    if (!is_working) return location.reload();
    if (total) {
        bar.max = total;
        bar.value = done;
        const count = status.querySelector("[data-count]");
        if (!count) return location.reload();
        count.textContent = `${numbers.format(done)} of ${numbers.format(total)} rows`;
    }
    setTimeout(watch, EVERY);
}

function watch() {
    // The server is away for a moment: look again later.
    look().catch(() => setTimeout(watch, 5 * EVERY));
}

setTimeout(watch, EVERY);

// A link in a mail opens a new window, as it does in a mail program (S8).
for (const link of document.querySelectorAll(".letter-text a")) {
    link.target = "_blank";
    link.rel = "noopener";
}

// The frame is as high as its mail, in which no script may run.
const frame = document.querySelector(".letter-frame");

function fit() {
    const body = frame.contentDocument?.body;
    if (body?.offsetHeight) {
        frame.style.height = `${body.offsetHeight + frame.offsetHeight - frame.clientHeight}px`;
    }
}

if (frame) {
    frame.addEventListener("load", fit);
    window.addEventListener("resize", fit);
    fit();
}

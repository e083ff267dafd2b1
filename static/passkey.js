// allauth tells of a failed passkey by an event alone; the person needs a sentence.
const problem = document.getElementById("passkey-problem");

document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    problem.hidden = false;
    problem.textContent =
        "The passkey or security key was not used. Try again, or choose another way to go on.";
});

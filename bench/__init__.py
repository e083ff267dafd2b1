"""How fast the answer to 'may she?' is: `./dev bench` writes docs/performance.md."""

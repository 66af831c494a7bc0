// Marks the current section in the list of sections.

const links = [...document.querySelectorAll(".contents a")];
const readSections = links.map((link) => document.querySelector(link.hash)).filter(Boolean);

function markSection() {
  const above = readSections.filter((section) => section.getBoundingClientRect().top < 120);
  const { scrollHeight } = document.documentElement;
  const atEnd = scrollY > 0 && scrollY + innerHeight >= scrollHeight - 2;
  const current = (atEnd ? readSections : above).at(-1);
  for (const link of links) {
    const isCurrent = current !== undefined && link.hash === `#${current.id}`;
    if (isCurrent === link.hasAttribute("aria-current")) continue;
    if (isCurrent) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    const list = link.parentElement;
    if (isCurrent) list.scrollTo({ left: link.offsetLeft - list.offsetLeft - 40 });
  }
}

if (links.length) {
  let waiting = false;
  addEventListener(
    "scroll",
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        markSection();
      });
    },
    { passive: true },
  );
  markSection();
}

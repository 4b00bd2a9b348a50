// Runs before anything is drawn, so that a chosen theme does not flash up as the other one.
(() => {
  try {
    const chosen = localStorage.getItem("flash-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // A browser that keeps nothing follows the system.
  }
})();

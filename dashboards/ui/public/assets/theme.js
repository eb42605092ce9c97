// Before the first paint, so that a chosen theme does not flash.
try {
  const theme = localStorage.getItem("spanward.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage refused: the system's theme it is
}

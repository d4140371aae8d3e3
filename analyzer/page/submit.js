export default function({ data, parentElement }) {
  const root = parentElement.querySelector("span");
  root.stop?.abort();
  const stop = (root.stop = new AbortController());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.target.tagName !== "TEXTAREA") return;
    // Streamlit's own handler sends the text first.
    setTimeout(() => document.querySelector(data.button)?.click(), 0);
  }, { signal: stop.signal });
  root.dataset.ready = "";
  return () => stop.abort();
}

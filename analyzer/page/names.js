// Streamlit calls the way to the pages "Expand sidebar" on a narrow screen. Its visitors look for pages.
const NAMES = {
  "[data-testid=stExpandSidebarButton]": "Show all pages",
  "[data-testid=stSidebarCollapseButton] button": "Hide the list of pages",
};

export default function() {
  const name = () => {
    for (const [selector, words] of Object.entries(NAMES)) {
      for (const button of document.querySelectorAll(selector)) {
        if (button.getAttribute("aria-label") !== words) button.setAttribute("aria-label", words);
      }
    }
  };
  const changed = new MutationObserver(name);
  changed.observe(document.body, { childList: true, subtree: true });
  name();
  return () => changed.disconnect();
}

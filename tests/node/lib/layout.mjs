// What is wrong with the layout of a page that a reader would see: text that is cut off, that runs out of the window or of its box, or that lies on other text (WCAG 2.2 sections 1.4.4 and 1.4.10).

/// Complaints, in words; none where all is well. Runs in the page.
export function brokenLayout(page) {
  return page.evaluate(() => {
    const found = [];
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`scrolls sideways: ${scrollWidth} of ${clientWidth}`);
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.data.trim() || !node.parentElement.checkVisibility({ visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const { left, right, top, bottom } of range.getClientRects()) {
        if (right - left > 1) texts.push({ node, left, right, top, bottom });
      }
    }
    const name = ({ node }) => JSON.stringify(node.data.trim().slice(0, 40));
    for (const text of texts) {
      if (text.left < -1 || text.right > clientWidth + 1) found.push(`${name(text)} runs out of the window`);
      const box = text.node.parentElement.closest('button, .button, .card, .badge, .compare, .whose, .warning, .problem');
      const edge = box?.getBoundingClientRect();
      if (edge && (text.left < edge.left - 1 || text.right > edge.right + 1 || text.top < edge.top - 1 || text.bottom > edge.bottom + 1)) found.push(`${name(text)} runs out of its box`);
    }
    // A line box is higher than its letters, so lines may touch.
    texts.forEach((a, at) => texts.slice(at + 1).forEach((b) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (a.node !== b.node && wide > 1 && high > Math.min(a.bottom - a.top, b.bottom - b.top) / 3) found.push(`${name(a)} lies on ${name(b)}`);
    }));
    for (const element of document.querySelectorAll('body *')) {
      const { overflowX, overflowY } = getComputedStyle(element);
      const hides = [overflowX, overflowY].some((value) => value !== 'visible');
      if (hides && !['INPUT', 'svg', 'IMG'].includes(element.tagName) && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) found.push(`${element.tagName} cuts off its text`);
    }
    return found;
  });
}

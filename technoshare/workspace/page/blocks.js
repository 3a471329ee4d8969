// Slack's blocks → DOM nodes. A kind that is not known here shows its name instead of nothing.

import { drawn, element, emoji, link, markdown, mrkdwn } from "./text.js";

/** The body of a message: its blocks, or its text where it has none. */
export function body(message, names) {
  const blocks = message.blocks ?? [];
  if (!blocks.length) return element("div", "body", element("p", "text", ...mrkdwn(message.text ?? "", names)));
  return element("div", "body", ...blocks.map((block) => render(block, names)));
}

function render(block, names) {
  const draw = BLOCKS[block.type];
  return draw ? draw(block, names) : element("p", "unknown", `[${block.type} block]`);
}

const BLOCKS = {
  header: (block) => element("h3", "", block.text.text),
  divider: () => element("hr", ""),
  section,
  context,
  actions: (block) => element("div", "actions", ...block.elements.map(button)),
  context_actions: (block) => element("div", "actions", ...block.elements.flatMap(feedback)),
  image: (block) => element("p", "text", link(block.image_url ?? "", block.alt_text || "image")),
  markdown: (block) => element("div", "markdown", ...paragraphs(block.text)),
  rich_text: (block, names) => element("div", "rich", ...block.elements.map((part) => richPart(part, names))),
};

/** A text object of Slack: plain, or mrkdwn. */
function textObject(text, names) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, names) : [text.text];
}

function section(block, names) {
  const node = element("div", "section");
  if (block.text) node.append(element("p", "text", ...textObject(block.text, names)));
  if (block.fields) {
    const fields = block.fields.map((field) => element("p", "text", ...textObject(field, names)));
    node.append(element("div", "fields", ...fields));
  }
  if (block.accessory?.type === "button") node.append(button(block.accessory));
  return node;
}

function context(block, names) {
  const parts = block.elements.map((part) =>
    part.type === "image" ? element("span", "", part.alt_text) : element("span", "text", ...textObject(part, names)));
  return element("div", "context", ...parts);
}

/** A button looks as in Slack; one that opens a page is a link, the others tell the bot that they were pressed. */
function button(block) {
  const label = block.text?.text ?? block.type;
  if (block.url) {
    const node = link(block.url, label);
    node.className = "button";
    return node;
  }
  const node = element("button", `button ${block.style === "primary" ? "primary" : ""}`, ...drawn(label));
  node.type = "button";
  if (block.action_id) node.dataset.action = block.action_id;
  else node.disabled = true;
  return node;
}

function feedback(block) {
  const buttons = [block.positive_button, block.negative_button].filter(Boolean);
  return (buttons.length ? buttons : [block]).map(button);
}

// ------------------------------------------------------------ rich_text

function richPart(part, names) {
  const inside = () => part.elements.map((item) => richElement(item, names));
  if (part.type === "rich_text_list") return richList(part, names);
  if (part.type === "rich_text_quote") return element("blockquote", "text", ...inside());
  if (part.type === "rich_text_preformatted") return element("pre", "", ...inside());
  return element("p", labelled(part) ? "text label" : "text", ...inside());
}

/** A line of nothing but bold text is a heading in all but name. */
const labelled = (part) => part.elements.length === 1 && part.elements[0].type === "text"
  && Boolean(part.elements[0].style?.bold) && part.elements[0].text.length < 60;

function richList(part, names) {
  const items = part.elements.map((item) =>
    element("li", "text", ...item.elements.map((inner) => richElement(inner, names))));
  const list = element(part.style === "ordered" ? "ol" : "ul", `indent-${Math.min(part.indent ?? 0, 4)}`, ...items);
  if (part.style === "ordered" && part.offset) list.start = part.offset + 1;
  return list;
}

const RICH = {
  text: (item) => document.createTextNode(item.text),
  link: (item) => link(item.url, item.text),
  emoji: (item) => emoji(item.name),
  user: (item, names) => element("span", "mention", `@${names[item.user_id] ?? item.user_id}`),
  channel: (item) => element("span", "mention", `#${item.channel_id}`),
  broadcast: (item) => element("span", "mention", `@${item.range}`),
  date: (item) => document.createTextNode(item.fallback ?? new Date(item.timestamp * 1000).toLocaleString()),
};

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

function richElement(item, names) {
  const draw = RICH[item.type];
  let node = draw ? draw(item, names) : document.createTextNode(item.text ?? `[${item.type}]`);
  for (const [style, tag] of Object.entries(STYLES)) {
    if (item.style?.[style]) node = element(tag, "", node);
  }
  return node;
}

// ------------------------------------------------------------ markdown

function paragraphs(text) {
  const nodes = [];
  for (const part of text.split(/\n{2,}/)) {
    const lines = part.split("\n");
    const heading = /^(#{1,6})\s+(.*)$/.exec(lines[0]);
    if (heading) {
      nodes.push(element("h3", "", ...markdown(heading[2])));
      lines.shift();
    }
    if (lines.length && lines.every((line) => /^\s*([-*]|\d+\.)\s/.test(line))) {
      const items = lines.map((line) => element("li", "text", ...markdown(line.replace(/^\s*([-*]|\d+\.)\s+/, ""))));
      nodes.push(element(/^\s*\d/.test(lines[0]) ? "ol" : "ul", "", ...items));
    } else if (lines.length) {
      nodes.push(element("p", "text", ...markdown(lines.join("\n"))));
    }
  }
  return nodes;
}

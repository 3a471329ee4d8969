// Slack's inline texts → DOM nodes. Payload text only ever becomes text nodes; nothing is parsed as HTML.

const EMOJI = {
  eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️", warning: "⚠️", x: "❌", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", link: "🔗", bulb: "💡", memo: "📝", books: "📚", book: "📖", bookmark: "🔖",
  mag: "🔍", rocket: "🚀", tada: "🎉", thinking_face: "🤔", raised_hands: "🙌", pray: "🙏", heart: "❤️",
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", arrows_counterclockwise: "🔄", repeat: "🔁",
  speech_balloon: "💬", page_facing_up: "📄", star: "⭐", sparkles: "✨", information_source: "ℹ️", lock: "🔒",
};

/** Make an element with a class and children; strings become text nodes. */
export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

// What the bot itself sets is drawn, so that it can be seen where no emoji font is installed.
const DRAWN = { eyes: "eyes.svg", white_check_mark: "check.svg", warning: "warning.svg", "+1": "thumbs-up.svg", "-1": "thumbs-down.svg" };
const NAMES = Object.fromEntries(Object.keys(DRAWN).map((name) => [EMOJI[name], name]));
const SIGNS = new RegExp(`(${Object.keys(NAMES).join("|")})`, "u");

/** Text → text and the emoji in it that are drawn. */
export function drawn(text) {
  return text.split(SIGNS).filter(Boolean).map((part) => (part in NAMES ? emoji(NAMES[part]) : part));
}

/** An emoji by its name; an unknown one stays the name, as in Slack. */
export function emoji(name) {
  if (!(name in DRAWN)) return document.createTextNode(EMOJI[name] ?? `:${name}:`);
  const node = element("img", "emoji");
  node.src = `/page/${DRAWN[name]}`;
  node.alt = EMOJI[name];
  return node;
}

/** A link that opens elsewhere, or plain text where the scheme is not one a browser should follow. */
export function link(url, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return document.createTextNode(label || url);
  const node = element("a", "", label || url);
  node.href = url;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);

/** A mention in angle brackets: <url|label>, <@U…>, <#C…|name>, <!here>. */
function reference(inside, names) {
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) return element("span", "mention", `@${names[target.slice(1)] ?? (label || target.slice(1))}`);
  if (target.startsWith("#")) return element("span", "mention", `#${label || target.slice(1)}`);
  if (target.startsWith("!")) return element("span", "mention", `@${label || target.slice(1)}`);
  return link(unescape(target), unescape(label));
}

const INLINE = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>]+)>|(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])|(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])|(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])/g;

/** Slack's mrkdwn → nodes. */
export function mrkdwn(text, names) {
  return inline(text, INLINE, ([, block, code, inside, bold, italic, strike]) => {
    if (block !== undefined) return element("pre", "", unescape(block).replace(/^\n/, ""));
    if (code !== undefined) return element("code", "", unescape(code));
    if (inside !== undefined) return reference(inside, names);
    if (bold !== undefined) return element("strong", "", ...mrkdwn(bold, names));
    if (italic !== undefined) return element("em", "", ...mrkdwn(italic, names));
    return element("s", "", ...mrkdwn(strike, names));
  }, (plain) => drawn(withEmoji(unescape(plain))));
}

const MARKDOWN = /`([^`\n]+)`|\[([^\]\n]+)\]\((\S+?)\)|\*\*(\S(?:[^\n]*?\S)?)\*\*|(?<![\w*])[*_](\S(?:[^*_\n]*\S)?)[*_](?![\w*])/g;

/** The inline part of standard Markdown → nodes. */
export function markdown(text) {
  return inline(text, MARKDOWN, ([, code, label, url, bold, italic]) => {
    if (code !== undefined) return element("code", "", code);
    if (label !== undefined) return link(url, label);
    if (bold !== undefined) return element("strong", "", ...markdown(bold));
    return element("em", "", ...markdown(italic));
  }, (plain) => drawn(withEmoji(plain)));
}

function inline(text, pattern, node, plain) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) nodes.push(...plain(text.slice(end, match.index)));
    nodes.push(node(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(...plain(text.slice(end)));
  return nodes;
}

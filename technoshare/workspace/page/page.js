// The channel: keeps what the server tells, draws what changed, sends what is typed.

import { body } from "./blocks.js";
import { element, emoji } from "./text.js";
import { showView } from "./view.js";

const $ = (id) => document.getElementById(id);
const messages = new Map(); // ts → message
const articles = new Map(); // ts of a message outside threads → its element
let world = { session: "", users: {}, statuses: {}, team: {}, channel: {} };
let replyTo = null;

// ------------------------------------------------------------ news

const stream = new EventSource("/control/live");
stream.onmessage = (event) => receive(JSON.parse(event.data));
stream.onerror = () => showState(null);

function receive(news) {
  if (news.session !== world.session) forgetAll();
  const stale = new Set([...changedRoots(news.messages), ...changedStatuses(news.statuses)]);
  for (const [ts, message] of Object.entries(news.messages)) {
    if (message) messages.set(ts, message);
    else messages.delete(ts);
  }
  world = news;
  showState(news.connected);
  $("channel").textContent = $("sidebar-channel").textContent = news.channel.name;
  $("workspace").textContent = news.team.name;
  keepingPlace(() => [...stale].sort().map(draw));
  $("empty").hidden = messages.size > 0;
  goToLinked();
  showView(news.view);
}

function forgetAll() {
  messages.clear();
  articles.clear();
  $("messages").replaceChildren();
  leaveThread();
}

const rootOf = (message) => message.thread_ts ?? message.ts;

function changedRoots(changed) {
  return Object.entries(changed).map(([ts, message]) => rootOf(message ?? messages.get(ts) ?? { ts }));
}

function changedStatuses(statuses) {
  const threads = new Set([...Object.keys(statuses), ...Object.keys(world.statuses)]);
  return [...threads].filter((ts) => statuses[ts] !== world.statuses[ts]);
}

function showState(connected) {
  const words = { true: "TechnoShare is connected", false: "The bot is not connected", null: "The workspace is not running" };
  $("bot-state").textContent = words[connected];
  $("bot-state").classList.toggle("on", connected === true);
  $("presence").classList.toggle("on", connected === true);
  $("bot-state").title = connected ? "" : "What you post waits here until it is";
}

// ------------------------------------------------------------ drawing

/** Draw one message with its thread, in its place; or take it away when nothing of it is left. */
function draw(ts) {
  const root = messages.get(ts);
  const replies = [...messages.values()].filter((m) => m.thread_ts === ts && m.ts !== ts).sort(byTime);
  const old = articles.get(ts);
  if (!root && !replies.length) {
    old?.remove();
    articles.delete(ts);
    return null;
  }
  const article = element("article", "thread-root");
  article.dataset.ts = ts;
  article.append(root ? drawMessage(root) : element("p", "gone", "This message was deleted."));
  if (replies.length || world.statuses[ts]) article.append(drawThread(ts, replies));
  if (old) old.replaceWith(article);
  else place(article, ts);
  articles.set(ts, article);
  return article;
}

const byTime = (a, b) => Number(a.ts) - Number(b.ts);

function place(article, ts) {
  const next = [...articles.entries()].filter(([other]) => Number(other) > Number(ts)).sort(([a], [b]) => a - b)[0];
  $("messages").insertBefore(article, next ? next[1] : null);
}

function drawMessage(message) {
  const name = world.users[message.user] ?? message.username ?? message.user ?? "Somebody";
  const node = element("div", message.only_you ? "message only-you" : "message", avatar(name, Boolean(message.bot_id)));
  node.id = `p${message.ts.replace(".", "")}`;
  const head = element("p", "head", element("strong", "name", name), message.bot_id ? element("span", "badge", "app") : "", time(message));
  const content = element("div", "content", head, body(message, world.users));
  if (message.edited) content.append(element("span", "quiet", "(edited)"));
  if (message.only_you) content.prepend(element("p", "quiet", "Only visible to you"));
  if (message.attachments) content.append(...message.attachments.map(preview));
  if (message.reactions) content.append(reactions(message));
  if (rootOf(message) === message.ts) content.append(replyButton(message));
  node.append(content);
  return node;
}

function reactions(message) {
  const chips = message.reactions.map((reaction) => {
    const chip = element("li", "chip", emoji(reaction.name), element("span", "count", String(reaction.count)));
    chip.title = `${reaction.users.map((user) => world.users[user] ?? user).join(", ")} reacted with :${reaction.name}:`;
    return chip;
  });
  const list = element("ul", "chips", ...chips);
  list.setAttribute("aria-label", "Reactions");
  return list;
}

function replyButton(message) {
  const button = element("button", "reply", "Reply in thread");
  button.type = "button";
  button.onclick = () => enterThread(message);
  return button;
}

function drawThread(ts, replies) {
  const seen = replies.filter((reply) => !reply.only_you).length;
  const count = seen === 1 ? "1 reply" : `${seen} replies`;
  const thread = element("section", "thread", element("p", "count", seen ? count : ""), ...replies.map(drawMessage));
  thread.setAttribute("aria-label", "Thread");
  if (world.statuses[ts]) thread.append(element("p", "status", `TechnoShare ${world.statuses[ts]}`));
  return thread;
}

function avatar(name, bot) {
  const hue = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  const node = element("span", bot ? "avatar bot" : `avatar hue-${hue}`, bot ? "T" : name.slice(0, 1).toUpperCase());
  node.setAttribute("aria-hidden", "true");
  return node;
}

function time(message) {
  const moment = new Date(Number(message.ts) * 1000);
  const words = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const node = element("a", "time", element("time", "", words));
  node.firstChild.dateTime = moment.toISOString();
  node.href = `/archives/${world.channel.id}/p${message.ts.replace(".", "")}`;
  node.title = moment.toLocaleString();
  return node;
}

function preview(attachment) {
  const title = attachment.title ?? attachment.fallback ?? "";
  return element("blockquote", "preview", element("strong", "", title), attachment.text ? element("p", "text", attachment.text) : "");
}

// ------------------------------------------------------------ where the reader is

/** Stay at the newest message if the reader was there, and show the beginning of one that is higher than the window. */
function keepingPlace(change) {
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80; // about a line and a half of text
  const drawn = change().filter(Boolean).pop();
  if (!atEnd || !drawn) return;
  const newest = [...drawn.querySelectorAll(".message")].pop() ?? drawn;
  const high = newest.offsetHeight > scroll.clientHeight - 40;
  if (high) (drawn.offsetHeight - newest.offsetHeight < 160 ? drawn : newest).scrollIntoView({ block: "start" });
  else scroll.scrollTop = scroll.scrollHeight;
}

let linked = /\/archives\/[^/]+\/(p\d+)/.exec(location.pathname)?.[1];

function goToLinked() {
  const target = linked && document.getElementById(linked);
  if (!target) return;
  linked = null;
  target.classList.add("linked");
  target.scrollIntoView({ block: "start" });
}

// ------------------------------------------------------------ typing

const field = $("text");

/** A button of a message was pressed: tell the bot, and the reader when no bot listens. */
async function press(button) {
  const message = button.closest(".message");
  const ts = message.id.replace(/^p(\d+)(\d{6})$/, "$1.$2");
  button.disabled = true; // until the bot has heard it
  let problem = "";
  try {
    const answer = await fetch("/control/press", { method: "POST", body: JSON.stringify({ ts, action_id: button.dataset.action }) });
    if (!answer.ok) problem = await answer.text();
    else if (!(await answer.json()).acked) problem = "the bot did not respond";
  } catch (error) {
    problem = error.message;
  }
  button.disabled = false;
  const row = button.parentNode;
  row.querySelector(".pressed")?.remove();
  row.append(element("span", "quiet pressed", problem ? `Not done: ${problem}` : "Sent"));
}

$("messages").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) press(button);
});

function enterThread(message) {
  replyTo = message.ts;
  $("thread-mode").hidden = false;
  $("thread-quote").textContent = (message.text ?? "").slice(0, 60);
  field.focus();
}

function leaveThread() {
  replyTo = null;
  $("thread-mode").hidden = true;
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 200)}px`; // then it scrolls
  $("send").disabled = !field.value.trim();
}

async function send() {
  const text = field.value.trim();
  if (!text) return;
  $("problem").textContent = "";
  field.value = "";
  fit();
  try {
    const answer = await fetch("/control/say", { method: "POST", body: JSON.stringify({ text, thread_ts: replyTo }) });
    if (!answer.ok) throw new Error(await answer.text());
    $("scroll").scrollTop = $("scroll").scrollHeight;
  } catch (error) {
    field.value = text; // nothing typed is lost
    fit();
    $("problem").textContent = `Not sent: ${error.message}`;
  }
}

$("thread-leave").onclick = () => { leaveThread(); field.focus(); };
field.oninput = fit;
field.onkeydown = (event) => {
  if (event.key === "Escape" && replyTo) leaveThread();
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
};
$("composer").onsubmit = (event) => { event.preventDefault(); send(); };

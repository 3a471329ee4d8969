// A form that the bot opened for the reader: drawn in a dialog, sent with what was chosen and typed.

import { element } from "./text.js";

const dialog = document.getElementById("view");
let shown = null;

/** Show the form that is open now, or none; one that is shown already keeps what was filled in. */
export function showView(view) {
  if ((view?.id ?? null) === shown) return;
  shown = view?.id ?? null;
  if (!view) return dialog.close();
  dialog.replaceChildren(draw(view));
  if (!dialog.open) dialog.showModal();
}

function draw(view) {
  const title = element("h2", "", view.title.text);
  title.id = "view-title";
  const inputs = view.blocks.filter((block) => block.type === "input").map(input);
  const problem = element("p", "problem");
  problem.setAttribute("role", "alert");
  const close = element("button", "button", view.close?.text ?? "Close");
  close.type = "button";
  close.onclick = () => tell(null, problem);
  const footer = element("p", "buttons", close, element("button", "button primary", view.submit?.text ?? "Submit"));
  const form = element("form", "", title, ...inputs.map(({ node }) => node), problem, footer);
  form.onsubmit = (event) => {
    event.preventDefault();
    const missing = inputs.find(({ block, value }) => !block.optional && !value().length);
    problem.textContent = missing ? `Please fill in “${missing.block.label.text}”.` : "";
    if (!missing) tell(Object.fromEntries(inputs.map(({ block, value }) => [block.block_id, value()])), problem);
  };
  return form;
}

/** An input block as a node, and what it holds. */
function input(block) {
  return block.element.type === "checkboxes" ? checkboxes(block) : words(block);
}

const labelOf = (block) => [block.label.text, block.optional ? element("span", "quiet", " (optional)") : ""];

function checkboxes(block) {
  const boxes = block.element.options.map((option) => {
    const box = element("input", "");
    box.type = "checkbox";
    box.value = option.value;
    return element("label", "choice", box, element("span", "", option.text.text));
  });
  const node = element("fieldset", "", element("legend", "", ...labelOf(block)), ...boxes);
  return { block, node, value: () => [...node.querySelectorAll(":checked")].map((box) => box.value) };
}

function words(block) {
  const field = element("textarea", "");
  field.rows = 3;
  field.maxLength = block.element.max_length ?? 3000;
  field.placeholder = block.element.placeholder?.text ?? "";
  return { block, node: element("label", "words", element("span", "", ...labelOf(block)), field), value: () => field.value.trim() };
}

/** Send the form, or close it with null; the next news take it from the screen. */
async function tell(values, problem) {
  try {
    const answer = await fetch("/control/submit", { method: "POST", body: JSON.stringify({ values }) });
    if (!answer.ok) throw new Error(await answer.text());
    if (!(await answer.json()).acked) throw new Error("the bot did not respond");
  } catch (error) {
    problem.textContent = `Not sent: ${error.message}`;
  }
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault(); // the workspace decides what is open
  tell(null, dialog.querySelector(".problem"));
});

// Requests that change something, after a question if they cannot be undone.

const dialog = document.getElementById("confirm");
const said = document.getElementById("said");
const tokenLabel = document.getElementById("token-label");
const tokenInput = document.getElementById("token");
let token = "";
let hide;

/** Shows a message for a while; screen readers read it aloud. */
export function say(text) {
  said.textContent = text;
  clearTimeout(hide);
  hide = setTimeout(() => said.textContent = "", 6000);
}

/** Asks a question. Resolves to whether the answer is yes. */
function ask(text, yes, { withToken = false } = {}) {
  document.getElementById("confirm-text").textContent = text;
  document.getElementById("confirm-yes").textContent = yes;
  tokenLabel.hidden = !withToken;
  tokenInput.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  if (withToken) tokenInput.focus();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "yes" && withToken) token = tokenInput.value;
      resolve(dialog.returnValue === "yes");
    }, { once: true })
  );
}

/**
 * Sends a request that changes something, and shows what came of it. Asks for the token if the server wants one.
 *
 * @returns {Promise<boolean>} Whether it succeeded.
 */
export async function act(path, { label, confirm }) {
  if (confirm !== undefined && !await ask(confirm, label)) return false;
  for (;;) {
    const response = await post(path);
    if (response?.status === 401) {
      if (
        !await ask(`${label} needs the token that the server was started with.`, label, { withToken: true })
      ) {
        return false;
      }
      continue;
    }
    const body = await response?.json().catch(() => undefined);
    say(response === undefined ? "The program does not answer" : body?.error ?? `${label}: done`);
    return response?.ok ?? false;
  }
}

async function post(path) {
  try {
    return await fetch(path, {
      method: "POST",
      headers: token === "" ? {} : { Authorization: `Bearer ${token}` },
    });
  } catch {
    return undefined;
  }
}

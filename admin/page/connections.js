// The table of connections: sorted, filtered, and paged by the server.
import { act, say } from "./control.js";
import { count, duration, size, time } from "./format.js";

const PAGE = 25;
const REFRESH = 2000;

const COLUMNS = [
  { sort: "id", label: "Id", show: ({ id }) => String(id) },
  { sort: "address", label: "Address", show: ({ address }) => address, text: true },
  { sort: "since", label: "Since", show: ({ since }) => time(since) },
  { sort: "idle", label: "Idle", show: ({ idle }) => duration(idle) },
  { sort: "bytes_in", label: "Bytes in", show: ({ bytesIn }) => size(bytesIn) },
  { sort: "bytes_out", label: "Bytes out", show: ({ bytesOut }) => size(bytesOut) },
  { sort: "lines_in", label: "Lines in", show: ({ linesIn }) => count(linesIn) },
  { sort: "lines_out", label: "Lines out", show: ({ linesOut }) => count(linesOut) },
  { sort: "pending", label: "Pending", show: ({ pending }) => count(pending) },
  { sort: "queued", label: "Queued", show: ({ queued }) => size(queued) },
];

const element = (id) => document.getElementById(id);

/** Keeps the table up to date while it is on the screen. */
export class ConnectionTable {
  #query = { state: "open", sort: "id", order: "asc", offset: 0, address: "" };
  #timer;
  #loading = 0;

  constructor() {
    element("connections-section").hidden = false;
    for (const column of COLUMNS) element("columns").append(this.#header(column));
    const last = document.createElement("td");
    element("columns").append(last);
    element("state").addEventListener(
      "change",
      ({ target }) => this.#change({ state: target.value, offset: 0 }),
    );
    element("address").addEventListener(
      "input",
      ({ target }) => this.#change({ address: target.value, offset: 0 }),
    );
    element("previous").addEventListener("click", () => this.#move(-PAGE));
    element("next").addEventListener("click", () => this.#move(PAGE));
    this.refresh();
  }

  /** Loads the rows now, and again after a while. */
  async refresh() {
    clearTimeout(this.#timer);
    const loading = ++this.#loading;
    try {
      if (!document.hidden) {
        const list = await this.#load();
        if (loading === this.#loading) this.#show(list);
      }
    } catch (error) {
      // The server is gone, which the status says; anything else is worth a message.
      if (!(error instanceof TypeError)) say(error.message);
    } finally {
      if (loading === this.#loading) this.#timer = setTimeout(() => this.refresh(), REFRESH);
    }
  }

  async #load() {
    const { address, ...query } = this.#query;
    const parameters = new URLSearchParams({ ...query, limit: PAGE, ...(address === "" ? {} : { address }) });
    const response = await fetch(`connections?${parameters}`);
    const list = await response.json();
    if (!response.ok) throw new Error(list.error);
    return list;
  }

  #change(change) {
    Object.assign(this.#query, change);
    this.refresh();
  }

  #move(by) {
    this.#change({ offset: Math.max(0, this.#query.offset + by) });
  }

  #header({ sort, label, text }) {
    const header = document.createElement("th");
    header.scope = "col";
    header.dataset.sort = sort;
    if (text) header.className = "text";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      const first = sort === "id" || sort === "address" ? "asc" : "desc";
      const again = this.#query.sort === sort;
      const order = again ? (this.#query.order === "asc" ? "desc" : "asc") : first;
      this.#change({ sort, order, offset: 0 });
    });
    header.append(button);
    return header;
  }

  #show({ connections, matched, offset, state, sort }) {
    for (const header of element("columns").querySelectorAll("th")) {
      if (header.dataset.sort !== sort) header.removeAttribute("aria-sort");
      else header.setAttribute("aria-sort", this.#query.order === "asc" ? "ascending" : "descending");
    }
    // A row that stays is changed in place: its button keeps the focus.
    const rows = element("rows");
    const known = new Map([...rows.children].map((row) => [row.dataset.key, row]));
    const shown = connections.map((connection) => {
      const key = `${state} ${connection.id}`;
      const row = known.get(key) ?? this.#row(key, connection);
      fill(row, connection);
      return row;
    });
    if (shown.length !== rows.children.length || shown.some((row, index) => row !== rows.children[index])) {
      rows.replaceChildren(...shown);
    }
    const end = offset + connections.length;
    element("page-of").textContent = matched === 0
      ? `No ${state} connections`
      : `${count(offset + 1)} to ${count(end)} of ${count(matched)}`;
    element("previous").disabled = offset === 0;
    element("next").disabled = end >= matched;
    if (connections.length === 0 && offset > 0) this.#move(-PAGE);
  }

  #row(key, { id, reason }) {
    const row = document.createElement("tr");
    row.dataset.key = key;
    for (const { text } of COLUMNS) {
      const cell = document.createElement("td");
      if (text) cell.className = "text";
      row.append(cell);
    }
    const last = document.createElement("td");
    if (reason === undefined) {
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = "Close";
      close.setAttribute("aria-label", `Close connection ${id}`);
      close.addEventListener("click", async () => {
        close.disabled = true;
        await act(`connections/${id}/close`, { label: `Close connection ${id}` });
        close.disabled = false;
        this.refresh();
      });
      last.append(close);
    } else {
      last.className = "text";
    }
    row.append(last);
    return row;
  }
}

function fill(row, connection) {
  COLUMNS.forEach(({ show }, index) => {
    const text = show(connection);
    const cell = row.children[index];
    if (cell.textContent !== text) cell.textContent = text;
  });
  if (connection.detail !== undefined) row.lastChild.textContent = connection.detail;
}

// A workbench in a browser, and what a person does and sees there. Everything waits for a state of the page or of a file;
// what is right is the tests' business.
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";
import { artifacts, which } from "../../scripts/lib.mjs";

const patience = 30_000; // ms; how long a state may take before it is called missing

const pictures = path.join(artifacts, "workbench");

/** The browser to use: CHROMIUM, else what is on the PATH; undefined when there is none. */
export function browserProgram() {
  const named = process.env.CHROMIUM;
  return named !== undefined && existsSync(named) ? named
    : ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map(which).find((file) => file !== undefined);
}

/** Opens the page of a workbench, and answers when it can be used. */
export async function openBrowser(workbench, { program = browserProgram(), language = "en", query = "", exposed = {}, size = { width: 1400, height: 900 }, scale = 1 } = {}) {
  const browser = await chromium.launch({
    executablePath: program,
    // The sandbox does not work for root, and /dev/shm is small in containers. The rest keeps the browser itself quiet.
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  try {
    const context = await browser.newContext({ viewport: size, deviceScaleFactor: scale, locale: language, reducedMotion: "reduce" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: workbench.address });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const outside = [];
    await context.route("**/*", (route) => {
      const url = route.request().url();
      if (/^(https?|wss?):/.test(url) && new URL(url).host !== new URL(workbench.address).host) {
        outside.push(url);
        return route.abort();
      }
      return route.continue();
    });
    for (const [name, callee] of Object.entries(exposed)) {
      await page.exposeFunction(name, callee);
    }
    await page.addInitScript(rememberStatus, ownStatusItem);
    await page.goto(workbench.page + query, { waitUntil: "domcontentloaded" });
    await page.locator(".monaco-workbench .part.statusbar").waitFor();
    return new Window(workbench, browser, page, outside);
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** What a person does and sees. Texts are as they are read: without the non-breaking spaces that the page draws them with. */
export class Window {
  constructor(workbench, browser, page, outside) {
    this.workbench = workbench;
    this.browser = browser;
    /** The page itself, for what there is no verb for yet. */
    this.page = page;
    /** Every request that would have left the machine, and was blocked. */
    this.outsideRequests = outside;
    this.settingsWritten = 0;
  }

  async close() {
    await this.browser.close();
  }

  /** Waits until what `look` answers is accepted, and answers it. Without it, the error tells what was seen last. */
  async until(what, look, accepted = Boolean) {
    const deadline = performance.now() + patience;
    let seen;
    while (performance.now() < deadline) {
      try {
        seen = await look();
        if (accepted(seen)) {
          return seen;
        }
      } catch (error) {
        // What is looked at may be drawn anew at this very moment.
        seen = error.message;
      }
      await pause(30);
    }
    await this.screenshot("missing");
    throw new Error(`never came: ${what}; last seen: ${JSON.stringify(seen)} (${path.join(pictures, "missing.png")})`);
  }

  async screenshot(name) {
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: path.join(pictures, `${name}.png`) });
  }

  // Keys

  async press(...keys) {
    for (const key of keys) {
      await this.page.keyboard.press(key);
    }
  }

  /** Types as a fast person does. */
  async type(text) {
    await this.page.keyboard.type(text, { delay: 30 });
  }

  /** Runs a command by its title as the palette lists it, with its category: "LLM Assist: Show Log". */
  async palette(title) {
    await this.press("F1");
    await this.fill(`>${title}`);
    await this.choose(title);
  }

  /** Makes these the settings of the folder, and waits until they hold. */
  async set(settings) {
    // Characters that nobody sees, so that pictures show the usual title.
    const title = `ws${"\u200b".repeat(++this.settingsWritten)}`;
    // The title shows that they were read, and the extension is told before it is told of the next key.
    this.workbench.set({ ...settings, "window.title": title });
    await this.until("the settings to be read", () => this.page.title(), (shown) => shown === title);
  }

  // Files and text

  /** Opens a file of the folder, with the keys going to it; the cursor is at the line and column if given, counted from 1. */
  async openFile(name, line, column) {
    await this.press("Control+P");
    await this.fill(line === undefined ? name : `${name}:${line}:${column ?? 1}`);
    const file = path.posix.basename(name);
    // While the list is still of an earlier text, Enter would open another file.
    await this.until(`${file} as the first of the list`, () => this.rows(), ([first]) => first?.label === file);
    await this.press("Enter");
    await this.page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor();
    await this.page.locator(".editor-instance .monaco-editor.focused").waitFor();
    // A list that is still closing takes keys.
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await this.ghostTextPart();
  }

  /**
   * Waits until a new editor can show ghost text: it makes that part when the page is idle, 5 s later at the latest. What is typed
   * before that asks nobody.
   */
  async ghostTextPart() {
    await this.page.evaluate(() => new Promise((resolve) => { requestIdleCallback(resolve, { timeout: 5000 }); }));
  }

  /** Saves, and answers what is on disk then. */
  async save(name) {
    await this.press("Control+S");
    await this.page.locator(".tab.active:not(.dirty)").waitFor();
    return this.workbench.read(name);
  }

  // What the extension shows while typing

  /** The ghost text on screen; undefined when there is none. */
  async shownGhostText() {
    const [first, rest] = await Promise.all([
      this.texts(ghostText),
      this.texts(".editor-instance .suggest-preview-text .ghost-text"),
    ]);
    // The page draws the first line in the text, and those below it as one block.
    const text = [first.join(""), ...rest].join("\n");
    return text === "" ? undefined : text;
  }

  /** Waits for ghost text that is (a string) or matches (a pattern) what is expected, and answers it. */
  async ghostText(expected = /./) {
    return await this.until(`ghost text ${expected}`, () => this.shownGhostText(), (text) => text !== undefined && matches(text, expected));
  }

  /** The same, asking for it by name as often as none comes: what a model says late waits for the next request, and the editor has no key for one. */
  async askedGhostText(expected) {
    return await this.until(`ghost text ${expected}`, async () => {
      try {
        // Longer than any query waits for a model: asked before that, the editor would take the former request back.
        await this.page.locator(ghostText).first().waitFor({ timeout: 6000 });
      } catch {
        await this.palette("Trigger Inline Suggestion");
      }
      return await this.shownGhostText();
    }, (text) => text !== undefined && matches(text, expected));
  }

  async noGhostText() {
    await this.until("no ghost text", () => this.shownGhostText(), (text) => text === undefined);
  }

  /** The labels in the list of suggestions; none when it is not on screen. */
  async shownSuggestions() {
    return await this.texts(".suggest-widget.visible .monaco-list-row .label-name");
  }

  /** Waits for a list of suggestions, with that label in it if one is given, and answers the labels. */
  async suggestions(expected) {
    return await this.until(`suggestions ${expected ?? ""}`, () => this.shownSuggestions(),
      (labels) => labels.length !== 0 && (expected === undefined || labels.includes(expected)));
  }

  /** Takes the suggestion with that label. */
  async accept(label) {
    await this.until(`${label} selected in the list`, async () => {
      const [selected] = await this.texts(".suggest-widget.visible .monaco-list-row.focused .label-name");
      if (selected !== label) {
        await this.press("ArrowDown");
      }
      return selected;
    }, (selected) => selected === label);
    await this.press("Enter");
    await this.page.locator(".suggest-widget.visible").waitFor({ state: "hidden" });
  }

  // The status bar

  /** The text of our item, its icon left out; undefined when there is none. */
  async statusItem() {
    const [text] = await this.texts(ownStatusItem);
    return text?.trim();
  }

  /** Waits until a screen reader would say of our item what matches the pattern, and answers that. */
  async status(pattern) {
    return await this.until(`a status bar item that says ${pattern}`,
      () => this.page.locator(`${ownStatusItem} a`).getAttribute("aria-label", { timeout: 1000 }), (label) => pattern.test(label ?? ""));
  }

  /** All that a screen reader could have said of our item since the page was opened, each change once. */
  async statusHistory() {
    return await this.page.evaluate(() => globalThis.statusHistory);
  }

  /** Holds the pointer over our item until its tooltip matches, and answers its text. It stays until the pointer leaves. */
  async hoverStatus(expected = /./) {
    const tooltip = this.page.locator(".monaco-hover:visible");
    return await this.until(`a tooltip with ${expected}`, async () => {
      if (await tooltip.count() === 0) {
        // The editor takes only a pointer that comes for one that wants to know.
        await this.page.mouse.move(700, 400);
        await this.page.locator(ownStatusItem).hover();
        await tooltip.first().waitFor({ timeout: 3000 });
      }
      return plain((await tooltip.allInnerTexts()).join("\n"));
    }, (text) => expected.test(text));
  }

  /** Clicks a link of the tooltip that {@link hoverStatus} has left open; the one in the row with that text, if one is given. */
  async clickLink(title, row) {
    const place = this.page.locator(row === undefined ? ".monaco-hover:visible" : ".monaco-hover:visible tr", row === undefined ? {} : { hasText: row });
    await place.locator("a", { hasText: title }).click();
  }

  /** Takes the pointer off our item and its tooltip. One that was clicked into is shown as it was until then. */
  async leaveStatus() {
    await this.until("no tooltip", async () => {
      await this.page.mouse.move(700, 400);
      return await this.page.locator(".monaco-hover:visible").count();
    }, (count) => count === 0);
  }

  async clickStatus() {
    await this.page.locator(`${ownStatusItem} a`).click();
  }

  /** Waits until the status bar says, for a while, what matches. */
  async said(pattern) {
    return await this.until(`the status bar saying ${pattern}`, () => this.texts(".statusbar-item"), (texts) => texts.some((text) => pattern.test(text)));
  }

  // Lists to choose from

  /** Waits for a list with rows, of the title if one is given, and answers the rows. */
  async quickPick(title) {
    await this.until(`a list ${title ?? ""}`, () => this.texts(".quick-input-widget:visible .quick-input-title"),
      ([shown]) => title === undefined || matches(shown ?? "", title));
    return await this.until("rows of the list", () => this.rows(), (rows) => rows.length !== 0);
  }

  /** The rows on screen: { label, description, detail, separator }. */
  async rows() {
    const rows = await this.page.locator(".quick-input-widget:visible .quick-input-list .monaco-list-row").evaluateAll((elements) =>
      elements.map((element) => {
        const text = (selector) => element.querySelector(selector)?.textContent ?? "";
        return {
          label: text(".quick-input-list-row .label-name"),
          description: text(".quick-input-list-row .label-description"),
          detail: text(".quick-input-list-label-meta .label-name"),
          separator: text(".quick-input-list-separator"),
        };
      }));
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, text]) => [name, plain(text)])));
  }

  /** Puts a text into the box above the list. */
  async fill(text) {
    await this.page.locator(".quick-input-widget:visible .quick-input-filter input").fill(text);
  }

  /** Answers a box for text; with a problem, the answer is one that the box does not take, and the problem is what it says. */
  async answer(text, problem) {
    const box = this.page.locator(".quick-input-widget:visible .quick-input-box input");
    // Where boxes follow one another, this is the next as soon as it is empty or has its own text.
    await this.page.locator(".quick-input-widget:visible .quick-input-list").waitFor({ state: "hidden" });
    await box.fill(text);
    if (problem !== undefined) {
      await this.until(`a problem ${problem}`, () => this.texts(".quick-input-widget:visible .quick-input-message"), ([said]) => problem.test(said ?? ""));
      return;
    }
    await this.confirm();
  }

  /** Goes on with what is checked in a list, or stands in a box. */
  async confirm() {
    const title = await this.inputTitle();
    await this.press("Enter");
    await this.until("the end of the question", () => this.inputTitle(), (now) => now !== title);
  }

  // Of the box or list on screen, with the number of its step; undefined when there is none.
  async inputTitle() {
    const [title] = await this.texts(".quick-input-widget:visible .quick-input-title");
    return title;
  }

  /** Chooses the row with that label, or the first whose label matches the pattern. */
  async choose(label) {
    await (await this.row(label)).click();
  }

  /** Clicks the button of a row by the first words that it shows under the pointer. */
  async pressButton(label, button) {
    const row = await this.row(label);
    await row.hover();
    await row.locator(`.quick-input-list-entry-action-bar .action-label[aria-label^="${button}"]`).click();
  }

  async row(label) {
    const isIt = (row) => matches(row.label, label);
    const rows = await this.until(`a row ${label}`, () => this.rows(), (shown) => shown.some(isIt));
    return this.page.locator(".quick-input-widget:visible .quick-input-list .monaco-list-row").nth(rows.findIndex(isIt));
  }

  // Notifications

  /** The texts of the notifications on screen. */
  async notifications() {
    return await this.texts(".notification-toast .notification-list-item-message");
  }

  /** Waits for a notification that matches, and answers its text. */
  async notification(pattern) {
    const texts = await this.until(`a notification ${pattern}`, () => this.notifications(), (shown) => shown.some((text) => pattern.test(text)));
    return texts.find((text) => pattern.test(text));
  }

  /** Waits for a dialog whose text matches, and answers the text. */
  async dialog(pattern) {
    return await this.until(`a dialog ${pattern}`, async () => (await this.texts(".monaco-dialog-box")).join(""), (text) => pattern.test(text));
  }

  /** Clicks a button of a notification, or of a dialog. */
  async clickButton(title) {
    await this.page.locator(".notification-toast .monaco-button, .monaco-dialog-box .monaco-button", { hasText: title }).first().click();
    // A dialog that is still going takes the next click.
    await this.page.locator(".monaco-dialog-box").waitFor({ state: "hidden" });
  }

  async clearNotifications() {
    await this.palette("Notifications: Clear All Notifications");
    await this.until("no notification", () => this.notifications(), ({ length }) => length === 0);
  }

  /** Trusts the folder on the editor's page about trust, which stays open. */
  async trust() {
    const trust = this.page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ });
    await trust.click();
  }

  // Pages

  /** Waits until a page that the extension shows has a text that matches, and answers it. */
  async webview(pattern) {
    const body = this.webviewFrame().locator("body");
    return await this.until(`a page with ${pattern}`, () => body.innerText({ timeout: 1000 }), (text) => pattern.test(text));
  }

  /** The page itself, for what is drawn rather than written. */
  webviewFrame() {
    return this.page.frameLocator("iframe.webview.ready").last().frameLocator("iframe#active-frame");
  }

  // The view of models

  /** Opens the view, and answers its rows once there is one with that label. */
  async openModels(label) {
    await this.page.locator('.activitybar .action-label[aria-label^="LLM Assist"]').click();
    return await this.models(label);
  }

  /** Waits for a row with that label, whose description matches if a pattern is given, and answers the rows. */
  async models(label, description = /(?:)/) {
    return await this.until(`a model ${label} ${description}`, () => this.modelRows(),
      (rows) => rows.some((row) => matches(row.label, label) && description.test(row.description)));
  }

  /** The rows of the view: { label, description }. */
  async modelRows() {
    const rows = await this.page.locator(modelRow).evaluateAll((elements) => elements.map((element) => ({
      label: element.querySelector(".label-name")?.textContent ?? "",
      description: element.querySelector(".label-description")?.textContent ?? "",
    })));
    return rows.map(({ label, description }) => ({ label: plain(label), description: plain(description) }));
  }

  /** Clicks a button of the row with that label, by the words that it shows under the pointer. */
  async pressModelButton(label, button) {
    const rows = await this.models(label);
    const row = this.page.locator(modelRow).nth(rows.findIndex((shown) => matches(shown.label, label)));
    await row.hover();
    await row.locator(`.actions .action-label[aria-label^="${button}"]`).click();
  }

  // Texts of what is visible, in the order of the page.
  async texts(selector) {
    return (await this.page.locator(selector).allTextContents()).map(plain);
  }
}

const ghostText = '.editor-instance [class*="ghost-text-decoration"]';

const modelRow = ".sidebar .pane-body .monaco-list-row";

const ownStatusItem = '.statusbar-item[id^="llm-assist.llm-assist"]';

function plain(text) {
  return text.replaceAll("\u00a0", " ").replaceAll("\u200b", "");
}

function matches(text, expected) {
  return typeof expected === "string" ? text === expected : expected.test(text);
}

// Runs in the page. Statuses can be shorter than any look from outside.
function rememberStatus(selector) {
  globalThis.statusHistory = [];
  new MutationObserver(() => {
    const label = document.querySelector(`${selector} a`)?.getAttribute("aria-label");
    if (label && label !== globalThis.statusHistory.at(-1)) {
      globalThis.statusHistory.push(label);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label"] });
}

/** Keys that work on the whole page, and the rule when they must not. Pure but for the event. */
import { words } from './words/index.ts';

export interface Shortcut {
	/** `KeyboardEvent.key`, lower case for letters. */
	key: string;
	/** What it does, for the keys dialog. */
	does: string;
	run: () => void;
	/** Not listed in the dialog (a variant of another). */
	silent?: boolean;
}

/** True where typing belongs to the element: page keys stay out of the way. */
export function takesText(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	if (target.isContentEditable) return true;
	if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
	return target instanceof HTMLInputElement && !['radio', 'checkbox', 'button', 'range'].includes(target.type);
}

/** Space and Enter press the button that has the focus; they are not page keys then. */
function presses(target: EventTarget | null, key: string): boolean {
	return (key === ' ' || key === 'Enter') && target instanceof HTMLElement &&
		(target.matches('button, a[href], summary, input, [role="button"], [role="option"]'));
}

/** Runs the shortcut of an event; true when there was one. */
export function dispatch(event: KeyboardEvent, shortcuts: readonly Shortcut[]): boolean {
	if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
	const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
	if (takesText(event.target) && key !== 'Escape') return false;
	if (presses(event.target, key)) return false;
	const found = shortcuts.find((shortcut) => shortcut.key === key);
	if (!found) return false;
	event.preventDefault();
	found.run();
	return true;
}

/** How a key is printed. */
export function keyName(key: string): string {
	return words.keyNames[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

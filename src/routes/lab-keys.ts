/** The lab page's keys. What they do to its state; which key is whose, and its words for the list. */
import { moveCell } from '$lib/ui/cell-keys.ts';
import { figureKey, type Frame } from '$lib/ui/frame.svelte.ts';
import type { Shortcut } from '$lib/ui/keyboard.ts';
import type { Selection } from '$lib/ui/selection.svelte.ts';
import { theme } from '$lib/ui/theme.svelte.ts';
import { words } from '$lib/ui/words/index.ts';
import type { LabState } from './lab-state.svelte.ts';

/** Keys of the figures, in the order of their numbers. */
const FIGURES = ['ribbon', 'map', 'attention', 'decision', 'quantization', 'spectrum', 'changed', 'bill', 'lost', 'headTypes'] as const;

export function labShortcuts(lab: LabState, frame: Frame, dialogs: { share: () => void; keys: () => void }): Shortcut[] {
	const { selection } = lab;
	const does = words.keysDo;
	const escape = () => {
		if (frame.maximized !== null) frame.maximized = null;
		else if (!selection.clear() && theme.presenter) theme.presenter = false;
	};
	return [
		{ key: ' ', does: does.run, run: () => lab.toggle() },
		{ key: ']', does: does.on, run: () => void lab.step() },
		{ key: '[', does: does.back, run: () => lab.back() },
		// Listed here, done by `moveLook`.
		...['ArrowLeft', 'ArrowRight'].map((key) => ({ key, does: does.beside, run: () => {} })),
		...['ArrowUp', 'ArrowDown'].map((key) => ({ key, does: does.above, run: () => {} })),
		{ key: 'Enter', does: does.lock, run: () => selection.hovered && selection.lock(selection.hovered) },
		{ key: 'Escape', does: does.escape, run: escape },
		...FIGURES.map((figure, i) => {
			const number = `${i + 1}`;
			return { key: figureKey(number), does: does.large(words.figures[figure]), run: () => { if (frame.has(number)) frame.toggle(number); } };
		}),
		{ key: 'b', does: does.presenter, run: () => (theme.presenter = !theme.presenter) },
		{ key: 'u', does: words.actions.undo, run: () => lab.undo() },
		{ key: 'y', does: words.actions.redo, run: () => lab.redo() },
		{ key: 's', does: words.actions.share, run: dialogs.share },
		{ key: '?', does: does.list, run: dialogs.keys }
	];
}

/** Undo and redo as everywhere else, except where text is typed. True when it was that key. */
export function undoKey(event: KeyboardEvent, lab: LabState): boolean {
	if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return false;
	if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return false;
	event.preventDefault();
	if (event.shiftKey) lab.redo();
	else lab.undo();
	return true;
}

/** Arrow keys on the page itself move the cell that is looked at. True when they did. */
export function moveLook(event: KeyboardEvent, selection: Selection): boolean {
	if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
	if (!(event.target === document.body || event.target === document.documentElement || (event.target as HTMLElement).id === 'content')) return false;
	// Up and down scroll the page, unless a cell is being looked at already.
	if (!(event.key === 'ArrowLeft' || event.key === 'ArrowRight' || (event.key.startsWith('Arrow') && selection.hovered))) return false;
	const change = moveCell(event.key, event.shiftKey, selection, selection.shape);
	if (!change) return false;
	event.preventDefault();
	selection.hover(change);
	return true;
}

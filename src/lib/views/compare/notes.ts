/** What must be said beside the points, found in the table itself: methods that do nothing here, bytes that do not shrink. Pure. */
import type { SweepDocument } from '$lib/documents/sweep.ts';
import { cellsOf, type Cell } from './points.ts';

/** Above this share of the full cache nothing is saved worth the name; the rest is what the table rounds. */
const WHOLE = 0.98;

export interface Notes {
	/** Titles of methods that change neither a number nor a byte in any cell. */
	idle: string[];
	/** Methods whose bytes never shrink, although they change what is said, with the range of their bytes. */
	unshrunk: { title: string; least: number; most: number }[];
	/** Methods that shrink only while the answer is written: the bytes after the prompt are the full cache's. `idleOn`: tasks on which they change nothing. */
	later: { title: string; idleOn: string[] }[];
	/** Cells with fewer texts than were asked for. */
	short: number;
	/** Methods that are not in the table, and why. */
	leftOut: { title: string; why: string }[];
}

const changesNothing = ({ kl, agree }: Cell): boolean => kl.value < 1e-7 && agree.value === 1;
const isWhole = (share: number): boolean => share >= WHOLE;

export function notesOf(document: SweepDocument): Notes {
	const notes: Notes = { idle: [], unshrunk: [], later: [], short: 0, leftOut: [] };
	const cells = cellsOf(document);
	for (const [index, { title }] of document.methods.entries()) {
		const own = cells.filter(({ method }) => method === index);
		if (own.length === 0 || !own.every(({ share }) => isWhole(share))) continue;
		const ends = own.every(({ shareEnd }) => isWhole(shareEnd));
		if (!ends) notes.later.push({ title, idleOn: document.tasks.flatMap(({ task }, t) => (own.every((cell) => cell.task !== t || (isWhole(cell.shareEnd) && changesNothing(cell))) ? [task] : [])) });
		else if (own.every(changesNothing)) notes.idle.push(title);
		else notes.unshrunk.push({ title, least: Math.min(...own.map(({ share }) => share)), most: Math.max(...own.map(({ share }) => share)) });
	}
	notes.short = cells.filter(({ texts }) => texts < document.seeds.count).length;
	notes.leftOut = document.leftOut.map(({ method, why }) => ({ title: document.methods.find(({ id }) => id === method)?.title ?? method, why }));
	return notes;
}

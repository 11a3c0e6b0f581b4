/**
 * The pages of one format for all rows and KV heads of a layer: a mirror on the CPU, from which they
 * can be uploaded again when the pool grows, and the tensors that attention reads.
 *
 * A head names its pages by *slot*: 0, 1, 2, … in the order of taking; a slot that was released is
 * the next to be taken. Row r of slot s is the head's local place s x rows + r.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { persistentFrom } from '../buffers.ts';
import type { Scatter } from '../scatter/index.ts';
import { HIDDEN, layoutOf, type PackedFormat, type PageLayout } from './format.ts';
import { PageTable } from './table.ts';

/** What attention is given to read. */
export interface PackedSegment {
	format: PackedFormat;
	/** Rows of the batch, and how many of them have pages. */
	batch: number;
	rows: number;
	kvHeads: number;
	/** Page slots that a head may have at most, and the most that one has. */
	slots: number;
	used: number;
	/** int32 [pages, words of a page] and the table of pages; see `format.ts` and `table.ts`. */
	pool: Tensor;
	table: Tensor;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
const wordOf = (x: number): number => ((float[0] = x), bits[0]);

export class PackedPool {
	readonly layout: PageLayout;
	private readonly table: PageTable;
	private readonly emptyBias: Int32Array;
	private words = new Int32Array(0);
	private next = 0;
	private free: number[] = [];
	private pool: Tensor | null = null;

	/** `tokens`: how many a head may come to hold, so that the pool seldom grows. */
	constructor(readonly format: PackedFormat, readonly batch: number, readonly kvHeads: number, tokens: number, private readonly scatter: Scatter) {
		this.layout = layoutOf(format);
		this.emptyBias = new Int32Array(format.rows).fill(wordOf(HIDDEN));
		this.table = new PageTable(batch, kvHeads, Math.ceil(tokens / format.rows) + 1, scatter);
	}

	/** Bytes of the pages in use. */
	get bytes(): number {
		return (this.next - this.free.length) * this.layout.words * 4;
	}

	/** Bytes on the device, room for more pages included. */
	get deviceBytes(): number {
		return 4 * ((this.pool?.size ?? 0) + this.table.size);
	}

	/** A page for a head (row x kvHeads + KV head), all rows hidden; gives its slot. */
	take(head: number): number {
		const page = this.free.pop() ?? this.next++;
		this.makeRoom(page + 1);
		const slot = this.table.add(head, page);
		this.set(page * this.layout.words, this.emptyBias);
		return slot;
	}

	release(head: number, slot: number): void {
		this.free.push(this.table.remove(head, slot));
	}

	setBias(head: number, slot: number, row: number, bias: number): void {
		this.setWord(this.at(head, slot) + row, wordOf(bias));
	}

	/** Codes of one token (`codeWords`). */
	setCodes(which: 'key' | 'value', head: number, slot: number, row: number, codes: Int32Array): void {
		const side = this.layout[which];
		const at = this.at(head, slot) + side.codes;
		if (which === 'value') this.set(at + row * side.words, codes);
		else for (let i = 0; i < side.words; i++) this.setWord(at + i * this.format.rows + row, codes[i]);
	}

	/** Rulers of one token (axis token), [groups]. */
	setRowRulers(which: 'key' | 'value', head: number, slot: number, row: number, rulers: Int32Array): void {
		const at = this.at(head, slot) + this.layout[which].rulers;
		for (let g = 0; g < rulers.length; g++) this.setWord(at + g * this.format.rows + row, rulers[g]);
	}

	/** Rulers of the page's channels (axis channel), [headDim]. */
	setPageRulers(which: 'key' | 'value', head: number, slot: number, rulers: Int32Array): void {
		this.set(this.at(head, slot) + this.layout[which].rulers, rulers);
	}

	/** What attention reads; null without pages. What was changed is there after the scatter's flush. */
	segment(): PackedSegment | null {
		const rows = this.table.activeRows;
		if (rows === 0) return null;
		this.pool ??= this.upload();
		const { format, batch, kvHeads } = this;
		return { format, batch, kvHeads, rows, slots: this.table.slots, used: this.table.longest, pool: this.pool, table: this.table.tensor() };
	}

	dispose(): void {
		this.dropPool();
		this.table.dispose();
	}

	private at(head: number, slot: number): number {
		return this.table.page(head, slot) * this.layout.words;
	}

	private set(at: number, words: Int32Array): void {
		this.words.set(words, at);
		if (this.pool) this.scatter.put(this.pool, at, words);
	}

	private setWord(at: number, word: number): void {
		this.words[at] = word;
		if (this.pool) this.scatter.put(this.pool, at, [word]);
	}

	/** Room for `pages` pages; beyond what is there, for half as many again and for what each head may still take. */
	private makeRoom(pages: number): void {
		const { words } = this.layout;
		if (pages * words <= this.words.length) return;
		const grown = new Int32Array(Math.max(pages, Math.ceil(1.5 * this.next)) * words);
		grown.set(this.words);
		this.words = grown;
		this.dropPool();
	}

	private upload(): Tensor {
		const { words } = this.layout;
		// The heads that have pages will take more of them.
		const pages = Math.max(this.words.length / words, this.next + this.table.expected());
		const all = new Int32Array(pages * words);
		all.set(this.words);
		this.words = all;
		return persistentFrom(all.slice(), [pages, words]);
	}

	private dropPool(): void {
		if (!this.pool) return;
		this.scatter.drop(this.pool);
		this.pool.dispose();
		this.pool = null;
	}
}

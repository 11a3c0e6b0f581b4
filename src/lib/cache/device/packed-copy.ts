/**
 * The encoded slots of one layer on the device, for all rows, as pages that attention reads packed.
 * Places of a head are numbered through all its pages: page by page, in the order of taking.
 */
import { formatName, PackedPool, type PackedSegment } from '$lib/ops/attention-packed/index.ts';
import type { Scatter } from '$lib/ops/scatter/index.ts';
import type { HeadStore } from '../head-store.ts';
import { rowCodes, rowRulers, type PagePlan } from './packing.ts';

interface Page {
	pool: PackedPool;
	/** Slot within the pool. */
	slot: number;
	/** Place of row 0. */
	base: number;
	key: string;
	used: Uint8Array;
	live: number;
}

/** Pages of one head. */
interface HeadPages {
	byBase: Page[];
	byKey: Map<string, Page[]>;
	/** Places given out so far, and bases of pages that are gone, by rows. */
	extent: number;
	free: Map<number, number[]>;
}

export class PackedCopy {
	private readonly pools = new Map<string, PackedPool>();
	private readonly pages: HeadPages[];

	/** `tokens`: how many slots a head may come to hold. */
	constructor(private readonly heads: HeadStore[], private readonly rows: number, private readonly tokens: number, private readonly scatter: Scatter) {
		this.pages = heads.map(() => ({ byBase: [], byKey: new Map(), extent: 0, free: new Map() }));
	}

	/** Places that the longest head has. */
	get extent(): number {
		return Math.max(...this.pages.map(({ extent }) => extent));
	}

	get deviceBytes(): number {
		return [...this.pools.values()].reduce((sum, pool) => sum + pool.deviceBytes, 0);
	}

	/** Writes a slot's codes and gives its place. Hidden until it is given a bias. */
	put(index: number, slot: number, plan: PagePlan): number {
		const head = this.heads[index];
		const { blockK, blockV, inK, inV } = head.slots.columns;
		const found = this.pageWithRoom(index, plan);
		const page = found ?? this.takePage(index, plan);
		const row = plan.row >= 0 ? plan.row : page.used.indexOf(0);
		page.used[row] = 1;
		page.live++;
		for (const [which, id, inside] of [['key', blockK[slot], inK[slot]], ['value', blockV[slot], inV[slot]]] as const) {
			const block = head.blocks.get(id)!;
			page.pool.setCodes(which, index, page.slot, row, rowCodes(block, inside));
			if (plan.format[which].axis === 'token') page.pool.setRowRulers(which, index, page.slot, row, rowRulers(block, inside));
			else if (!found) page.pool.setPageRulers(which, index, page.slot, rowRulers(block, inside));
		}
		return page.base + row;
	}

	setBias(index: number, place: number, bias: number): void {
		const page = this.pageAt(index, place);
		page.pool.setBias(index, page.slot, place - page.base, bias);
	}

	/** Hides the place; a page without slots goes. */
	release(index: number, place: number, hidden: number): void {
		const page = this.pageAt(index, place);
		page.used[place - page.base] = 0;
		if (--page.live > 0) return page.pool.setBias(index, page.slot, place - page.base, hidden);
		const own = this.pages[index];
		page.pool.release(index, page.slot);
		own.byBase.splice(own.byBase.indexOf(page), 1);
		const peers = own.byKey.get(page.key)!.filter((other) => other !== page);
		if (peers.length) own.byKey.set(page.key, peers);
		else own.byKey.delete(page.key);
		const { rows } = page.pool.format;
		own.free.set(rows, [...(own.free.get(rows) ?? []), page.base]);
	}

	/** What attention reads, one a format. */
	segments(): PackedSegment[] {
		return [...this.pools.values()].flatMap((pool) => pool.segment() ?? []);
	}

	/** Copies numbers over the places of a format's pool (one row of `slots x rows`) to the head's own places. */
	spread(index: number, segment: PackedSegment, from: Float32Array, out: Float32Array): void {
		const { rows } = segment.format;
		for (const { pool, slot, base } of this.pages[index].byBase) {
			if (pool.format === segment.format) out.set(from.subarray(slot * rows, (slot + 1) * rows), base);
		}
	}

	dispose(): void {
		for (const pool of this.pools.values()) pool.dispose();
	}

	private pageWithRoom(index: number, { format, key, row }: PagePlan): Page | undefined {
		return this.pages[index].byKey.get(`${formatName(format)}|${key}`)
			?.findLast(({ used, live }) => (row >= 0 ? used[row] === 0 : live < format.rows));
	}

	private takePage(index: number, { format, key }: PagePlan): Page {
		const name = formatName(format);
		const own = this.pages[index];
		let pool = this.pools.get(name);
		if (!pool) this.pools.set(name, (pool = new PackedPool(format, this.rows, this.heads.length / this.rows, this.tokens, this.scatter)));
		const base = own.free.get(format.rows)?.pop() ?? (own.extent += format.rows) - format.rows;
		const page: Page = { pool, slot: pool.take(index), base, key: `${name}|${key}`, used: new Uint8Array(format.rows), live: 0 };
		const after = own.byBase.findIndex((other) => other.base > base);
		own.byBase.splice(after < 0 ? own.byBase.length : after, 0, page);
		own.byKey.set(page.key, [...(own.byKey.get(page.key) ?? []), page]);
		return page;
	}

	private pageAt(index: number, place: number): Page {
		const list = this.pages[index].byBase;
		let [low, high] = [0, list.length];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (list[middle].base <= place) low = middle;
			else high = middle;
		}
		const page = list[low];
		if (!page || place < page.base || place >= page.base + page.pool.format.rows) throw new RangeError(`no page has place ${place}`);
		return page;
	}
}

/** How a read-out of packed pages is cut into workgroups: constants of the kernel, from the format and the profile. */
import type { Profile } from '../profile.ts';
import { layoutOf, type PackedFormat, type PageLayout, type SideFormat } from './format.ts';

/** Threads of a workgroup, places whose scores are held at once, and tiles of places that a workgroup walks when one token is read. */
export interface PackedProfile {
	threads: number;
	tile: number;
	tiles: number;
}

/** For graphics hardware: many workgroups. Chosen by reasoning, not by measurement on a graphics card. */
const HARDWARE: PackedProfile = { threads: 64, tile: 128, tiles: 1 };
/** For software adapters: few threads, long walks. */
const SOFTWARE: PackedProfile = { threads: 32, tile: 256, tiles: 8 };

export const profileFor = (profile: Profile): PackedProfile => (profile === 'software' ? SOFTWARE : HARDWARE);

export interface PackedPlan {
	format: PackedFormat;
	layout: PageLayout;
	threads: number;
	/** Pages of a tile. */
	pages: number;
	/** Query heads that a workgroup reads for, and workgroups a KV head. */
	queries: number;
	chunks: number;
	/** Vectors of four channels of a query, padded to whole words of keys. */
	vectors: number;
	key: Rulers;
	value: Rulers;
}

/**
 * `words`: a ruler of a token covers whole words, so it is looked up once; `channel`: rulers of a
 * page's channels, worked into the query (or the sum) once a page; `any`: looked up channel by channel.
 */
export type Rulers = 'words' | 'channel' | 'any';

/** Rulers of a token that are kept for all places of a tile. */
const MOST_GROUPS = 4;
/** Bytes of workgroup memory that every device has, and some to spare. */
const ROOM = 15_000;

function rulersOf({ axis, group, bits }: SideFormat, headDim: number): Rulers {
	if (axis === 'channel') return 'channel';
	return group >= headDim || (group * bits) % 32 === 0 ? 'words' : 'any';
}

export function planOf(format: PackedFormat, group: number, profile: PackedProfile): PackedPlan {
	const layout = layoutOf(format);
	const { key, value } = layout;
	const chunks = Math.ceil(group / 4);
	const valueRulers = rulersOf(format.value, format.headDim);
	const plan: PackedPlan = {
		format, layout, chunks,
		threads: Math.max(profile.threads, value.words),
		pages: Math.max(1, Math.floor(profile.tile / format.rows)),
		queries: Math.ceil(group / chunks),
		vectors: key.words * key.perWord,
		key: rulersOf(format.key, format.headDim),
		value: valueRulers === 'words' && value.groups > MOST_GROUPS ? 'any' : valueRulers
	};
	while (plan.pages > 1 && workgroupBytes(plan) > ROOM) plan.pages--;
	return plan;
}

/** Bytes of the arrays that `readPages` declares. */
function workgroupBytes({ format, layout, threads, pages, queries, vectors, key, value }: PackedPlan): number {
	const places = pages * format.rows;
	return 4 * (
		4 * queries * vectors + (key === 'channel' ? 5 * pages * queries * vectors + pages * queries : key === 'words' ? queries * layout.key.groups : 0) +
		queries * places + queries * threads + (value === 'words' ? 2 * places * layout.value.groups : 0) + 4 * threads * layout.value.perWord
	);
}

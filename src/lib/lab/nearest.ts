/** Searching a list of settings whose cost grows. Pure. */

export interface Nearest {
	index: number;
	bytes: number;
	/** Cost of the first and of the last setting. */
	least: number;
	most: number;
}

/** Lists up to this length are looked through whole: bits have few values, and need not grow evenly. */
const FEW = 16;
/** Settings looked at on either side of where a search ends, in case costs do not quite grow. */
const AROUND = 2;

/**
 * The setting, 0 … count-1, whose cost is closest to `wanted`; of equally close ones the cheaper, then the first.
 * Costs are taken to grow with the index; long lists are searched by halving. `known`: costs that were asked for before.
 */
export async function nearest(count: number, cost: (index: number) => Promise<number>, wanted: number, known = new Map<number, number>()): Promise<Nearest> {
	const at = async (i: number): Promise<number> => {
		if (!known.has(i)) known.set(i, await cost(i));
		return known.get(i)!;
	};
	const least = await at(0);
	const most = await at(count - 1);
	if (count <= FEW) {
		for (let i = 1; i < count - 1; i++) await at(i);
	} else {
		let [low, high] = [0, count - 1];
		// The first setting that costs as much as is wanted lies above low, at most at high.
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if ((await at(middle)) < wanted) low = middle;
			else high = middle;
		}
		for (let i = Math.max(0, low - AROUND + 1); i <= Math.min(count - 1, high + AROUND - 1); i++) await at(i);
	}
	const off = ([, bytes]: [number, number]) => Math.abs(bytes - wanted);
	const [index, bytes] = [...known].sort((a, b) => off(a) - off(b) || a[1] - b[1] || a[0] - b[0])[0];
	return { index, bytes, least, most };
}

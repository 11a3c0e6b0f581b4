/** Physical places of one row and KV head: stable once given, used again after an eviction. */
export class Places {
	private free: number[] = [];
	private next = 0;

	/** `limit` places exist: 0 … limit-1. */
	constructor(private readonly limit: number) {}

	/** Places from this one on were never given out. */
	get used(): number {
		return this.next;
	}

	/** The place that was freed last, or the next unused one. Throws RangeError when full. */
	take(): number {
		const place = this.free.pop() ?? this.next++;
		if (place >= this.limit) throw new RangeError(`the working copy holds ${this.limit} slots a head and is full`);
		return place;
	}

	/** `count` neighbouring unused places, or -1 when that needs a compaction first. */
	takeRun(count: number): number {
		if (count === 1) return this.take();
		if (this.next + count > this.limit) return -1;
		this.next += count;
		return this.next - count;
	}

	release(place: number): void {
		this.free.push(place);
	}

	/** Forgets everything: places 0 … used-1 are taken. */
	reset(used: number): void {
		if (used > this.limit) throw new RangeError(`the working copy holds ${this.limit} slots a head, not ${used}`);
		this.free = [];
		this.next = used;
	}
}

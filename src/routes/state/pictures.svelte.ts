/** What the pictures draw, and where they look. */
import { firstLook, stepsDone } from '$lib/documents/read.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import { Selection } from '$lib/ui/selection.svelte.ts';

export class Pictures {
	readonly selection = new Selection();
	/** The recorded run until a live one replaces it. */
	source = $state.raw<TraceSource | null>(null);
	/** A getter, since a derived value is computed only once while a page is prerendered. */
	get trace(): Trace | null { return this.source?.trace ?? null; }

	/** Draws a run, or the same run with more steps. */
	show(source: TraceSource): void {
		const { trace } = source;
		const fresh = this.trace?.prompt.ids.length !== trace.prompt.ids.length || this.trace?.arms.length !== trace.arms.length;
		this.source = source;
		const steps = stepsDone(trace);
		this.selection.fit({
			layers: trace.model.layers, heads: trace.model.heads, kvHeads: trace.model.kvHeads, steps,
			positions: trace.prompt.ids.length + Math.max(0, steps - 1), arms: trace.arms.length
		});
		if (fresh) this.look();
	}

	/** A good first look: the answer's token, in a layer and head of the first arm that lost it. */
	look(): void {
		if (this.trace) this.selection.lock({ ...firstLook(this.trace), step: null });
	}

	/** Goes one step on in what is there; false when the newest step is looked at already. */
	forward(): boolean {
		const newest = this.trace ? stepsDone(this.trace) - 1 : -1;
		if (this.selection.stepIndex >= newest) return false;
		const next = this.selection.stepIndex + 1;
		this.selection.lock({ step: next === newest ? null : next });
		return true;
	}

	back(): void {
		this.selection.lock({ step: Math.max(-1, this.selection.stepIndex - 1) });
	}
}

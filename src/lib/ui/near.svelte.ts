/** Whether a picture is near the window: while a run goes on, what is far away asks nobody for its numbers. */
import type { Attachment } from 'svelte/attachments';
import type { Trace } from '$lib/documents/trace.ts';

export class Near {
	#near = $state(false);

	/** `<div {@attach near.watch}>` */
	readonly watch: Attachment<HTMLElement> = (node) => {
		const observer = new IntersectionObserver((entries) => (this.#near = entries[entries.length - 1].isIntersecting), { rootMargin: '400px' });
		observer.observe(node);
		return () => observer.disconnect();
	};

	/** A recording has its numbers, and a run that is over is asked once: then all pictures ask, for print and for files. */
	asks(trace: Trace): boolean {
		return this.#near || trace.done || trace.provenance === 'recorded';
	}
}

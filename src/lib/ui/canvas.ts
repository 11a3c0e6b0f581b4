/** Canvas drawing as an attachment: crisp on every pixel ratio, redrawn when what it reads changes. */
import { devicePixelRatio } from 'svelte/reactivity/window';
import type { Attachment } from 'svelte/attachments';
import { theme } from './theme.svelte.ts';

export interface Pen {
	c: CanvasRenderingContext2D;
	/** Device pixels a CSS pixel. */
	ratio: number;
	/** Rounds to a whole device pixel, so that edges stay sharp. */
	snap(value: number): number;
}

/**
 * `<canvas {@attach drawn(width, height, (pen) => …)}>`. Sizes are CSS pixels. The draw function
 * runs inside an effect: whatever state it reads makes it run again.
 */
export function drawn(width: number, height: number, draw: (pen: Pen) => void): Attachment<HTMLCanvasElement> {
	return (canvas) => {
		const ratio = Math.min(4, Math.max(theme.onPaper ? 2 : 1, devicePixelRatio.current ?? 1));
		if (!(width > 0 && height > 0)) return;
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
		const c = canvas.getContext('2d');
		if (!c) return;
		c.setTransform(ratio, 0, 0, ratio, 0, 0);
		draw({ c, ratio, snap: (value) => Math.round(value * ratio) / ratio });
	};
}

/** Pointer on a picture as places in CSS pixels: hover previews, click locks. An attachment. */
import type { Attachment } from 'svelte/attachments';

export interface Pointing {
	move(x: number, y: number): void;
	leave(): void;
	click(x: number, y: number): void;
}

/** Moves are handled at most once a frame; touch does not hover. */
export function pointing(handlers: () => Pointing): Attachment<HTMLElement | SVGElement> {
	return (node) => {
		let frame = 0;
		const place = (event: Event): [number, number] => {
			const box = node.getBoundingClientRect();
			const { clientX, clientY } = event as PointerEvent;
			return [clientX - box.left, clientY - box.top];
		};
		const move = (event: Event) => {
			if ((event as PointerEvent).pointerType === 'touch') return;
			const [x, y] = place(event);
			cancelAnimationFrame(frame);
			frame = requestAnimationFrame(() => handlers().move(x, y));
		};
		const leave = () => {
			cancelAnimationFrame(frame);
			handlers().leave();
		};
		const click = (event: Event) => {
			cancelAnimationFrame(frame);
			handlers().click(...place(event));
		};
		node.addEventListener('pointermove', move);
		node.addEventListener('pointerleave', leave);
		node.addEventListener('click', click);
		return () => {
			cancelAnimationFrame(frame);
			node.removeEventListener('pointermove', move);
			node.removeEventListener('pointerleave', leave);
			node.removeEventListener('click', click);
		};
	};
}

import { expect, it } from 'vitest';
import { engineInAddress } from './choice.ts';

it('takes a backend that exists from the address, and nothing else', () => {
	expect(engineInAddress('?backend=webgpu')).toEqual({ backend: 'webgpu' });
	expect(engineInAddress('?theme=dark&backend=cpu')).toEqual({ backend: 'cpu' });
	expect(engineInAddress('?backend=quantum')).toEqual({});
	expect(engineInAddress('')).toEqual({});
});

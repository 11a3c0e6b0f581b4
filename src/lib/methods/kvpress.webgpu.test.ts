import { goldenOnEngine } from './testing/golden-engine.ts';
import { againstKvpress } from './testing/kvpress-suite.ts';

againstKvpress('webgpu', () => goldenOnEngine('webgpu'));

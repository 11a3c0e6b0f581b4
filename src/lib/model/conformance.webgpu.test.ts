import { againstHuggingFace } from './conformance-suite.ts';

againstHuggingFace('webgpu');

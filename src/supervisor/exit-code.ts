export { type EndReason, EXIT, exitCodeFor } from '../../machines/model/exit-code.ts';

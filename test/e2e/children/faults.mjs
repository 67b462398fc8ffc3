// Loaded into the real binary with --import: makes calls to the file system fail, or ends the process at one of them.
// E2E_FAULT is JSON: {"calls": names, "under": folder, "part": of the path, "from": first call that fails, "times": how many,
// "error": code}.
// The error KILL ends the process before the call; TEAR writes half and reports a full disk; FLIP lets the write pass and
// damages the file, as a bad stick does.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const fault = { under: '/', part: '', from: 1, times: Infinity, ...JSON.parse(process.env.E2E_FAULT) };
const open = new Map();
const real = { ...fs };
let count = 0;

const due = (call, path) => {
  if (!fault.calls.includes(call) || !String(path).startsWith(fault.under) || !String(path).includes(fault.part)) return false;
  count += 1;
  return count >= fault.from && count < fault.from + fault.times;
};
const strike = (call, path, code) => {
  if (code === 'KILL') process.kill(process.pid, 'SIGKILL');
  throw Object.assign(new Error(`${code}: injected, ${call} '${path}'`), { code, syscall: call, path });
};

fs.openSync = (path, flags, ...more) => {
  const writes = typeof flags === 'number' && (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
  if (writes && due('open', path)) strike('open', path, fault.error);
  if (!writes && due('read', path)) strike('open', path, fault.error);
  const fd = real.openSync(path, flags, ...more);
  open.set(fd, path);
  return fd;
};
fs.writeFileSync = (to, bytes, ...more) => {
  const path = typeof to === 'number' ? open.get(to) : to;
  if (due('write', path)) {
    if (fault.error === 'TEAR') real.writeSync(to, bytes.subarray(0, bytes.length >> 1));
    strike('write', path, fault.error === 'TEAR' ? 'ENOSPC' : fault.error);
  }
  return real.writeFileSync(to, bytes, ...more);
};
for (const [call, name] of [['unlink', 'unlinkSync'], ['mkdir', 'mkdirSync'], ['link', 'linkSync'], ['rename', 'renameSync']])
  fs[name] = (...args) => {
    const path = args[1] !== undefined && typeof args[1] === 'string' ? args[1] : args[0];
    if (fault.error !== 'FLIP') {
      if (due(call, path)) strike(call, path, fault.error);
      return real[name](...args);
    }
    real[name](...args);
    if (!due(call, path)) return;
    const bytes = real.readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    real.writeFileSync(path, bytes);
  };
fs.fsyncSync = (fd) => {
  if (due('fsync', open.get(fd))) strike('fsync', open.get(fd), fault.error);
  return real.fsyncSync(fd);
};
syncBuiltinESMExports();

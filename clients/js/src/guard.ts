/** Runs beside a server: `node guard.js PID` ends that process when whoever started this one is gone. */

const pid = Number(process.argv[2]);

process.stdin.resume().on('close', () => {
  try {
    process.kill(pid);
  } catch {
    // it has ended already
  }
});

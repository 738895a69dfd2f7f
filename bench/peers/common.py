"""What all peers share: the machine, peak memory, timing, a process for each case."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time

import torch


def machine(threads, device="cpu"):
    """What results were measured on."""
    try:
        with open("/proc/cpuinfo") as f:
            model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    except OSError:
        model = platform.processor()
    result = {
        "cpu": model, "logical_cpus": os.cpu_count(), "threads": threads, "system": platform.platform(),
        "python": platform.python_version(), "torch": torch.__version__, "mkldnn": torch.backends.mkldnn.is_available(),
        "mkl": torch.backends.mkl.is_available(), "isa": torch.backends.cpu.get_cpu_capability(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"), "load_average": os.getloadavg(),
    }
    if device == "cuda":
        result |= {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    return result


def prepare(threads):
    """Of a process that measures."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def wait(device):
    """Until everything that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()


class PeakMemory:
    """Growth of peak memory since ``start``, in bytes: of PyTorch's allocations on a GPU, of the resident set on the CPU,
    whose counter is reset where the kernel lets us."""

    def __init__(self, device="cpu"):
        self.device = device

    def start(self):
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()
            return self
        try:
            with open("/proc/self/clear_refs", "w") as f:
                f.write("5")
        except OSError:
            pass
        self.before = self.read("VmRSS")
        return self

    def increase(self):
        now = torch.cuda.max_memory_allocated() if self.device == "cuda" else self.read("VmHWM")
        return max(0, now - self.before)

    @staticmethod
    def read(field):
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {field} in /proc/self/status")


def timed(call, device="cpu"):
    """Milliseconds of one call."""
    wait(device)
    start = time.perf_counter()
    call()
    wait(device)
    return 1e3 * (time.perf_counter() - start)


def summary(samples, unit):
    """Median and quartiles of at least two samples."""
    quartiles = statistics.quantiles(samples, n=4)
    return {f"median_{unit}": statistics.median(samples), f"quartile_1_{unit}": quartiles[0],
            f"quartile_3_{unit}": quartiles[2]}


def in_fresh_process(script, arguments):
    """Memory peaks and allocator states of one case must not colour the next: every case has its own process."""
    done = subprocess.run(
        [sys.executable, script, "--case", json.dumps(arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_case(case, measure):
    """What such a process does."""
    arguments = json.loads(case)
    prepare(arguments["threads"])
    print(json.dumps(measure(arguments)))


def write(report, out):
    """Into a file, or to the standard output where there is none."""
    text = json.dumps(report, indent=2) + "\n"
    if out:
        with open(out, "w") as f:
            f.write(text)
    else:
        print(text, end="")

"""What a figure must carry: date, card, driver, CUDA, PyTorch, commit. Each field says where it is unknown, and why."""
import datetime
import os
import subprocess

UNKNOWN = "unknown"


def output_of(command, cwd=None):
    """The first line a command prints, or `unknown (reason)`."""
    try:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              universal_newlines=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{UNKNOWN} ({error})"
    words = done.stdout.strip()
    if done.returncode != 0:
        return f"{UNKNOWN} ({command[0]} ended with status {done.returncode})"
    return words.splitlines()[0] if words else ""


def commit(folder):
    """The commit of the source tree, `+changes` where tracked files differ from it. A bundle brings it along in a file."""
    noted = os.path.join(folder, "COMMIT")
    if os.path.exists(noted):
        with open(noted, encoding="utf-8") as file:
            return file.read().strip() or UNKNOWN
    name = output_of(["git", "rev-parse", "HEAD"], folder)
    if name.startswith(UNKNOWN):
        return name
    changed = output_of(["git", "status", "--porcelain", "--untracked-files=no"], folder)
    return name + ("+changes" if changed else "")


def card(index=0):
    """Name, driver and settings of the GPU, from nvidia-smi."""
    fields = ("name", "driver_version", "power.limit", "clocks.max.sm", "memory.total")
    answer = output_of(["nvidia-smi", f"--id={index}", "--query-gpu=" + ",".join(fields), "--format=csv,noheader"])
    if answer.startswith(UNKNOWN):
        return {"card": answer, "driver": answer}
    words = [word.strip() for word in answer.split(",")]
    if len(words) != len(fields):
        reason = f"{UNKNOWN} (nvidia-smi said: {answer})"
        return {"card": reason, "driver": reason}
    return {"card": words[0], "driver": words[1], "power limit": words[2], "highest SM clock": words[3], "memory": words[4]}


def header(folder, torch=None, index=0):
    found = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}
    found.update(card(index))
    if torch is None:
        found["PyTorch"] = "not here"
    else:
        found["CUDA of PyTorch"] = str(torch.version.cuda)
        found["PyTorch"] = torch.__version__
        found["cuDNN"] = str(torch.backends.cudnn.version())
    found["commit"] = commit(folder)
    return found

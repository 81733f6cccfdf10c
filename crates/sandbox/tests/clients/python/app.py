"""Does what each event's "do" says, as the functions of the other languages beside it."""
import logging
import os
import signal
import time

LOG = logging.getLogger("app")

if os.environ.get("FAIL_INIT"):
    raise RuntimeError("no init today")


def report(event, context):
    logging.warning("two\nlines")
    client = context.client_context
    return {
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "function": context.function_name,
        "memory_mb": int(context.memory_limit_in_mb),
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "custom": client.custom if client else None,
    }


def throw(event, context):
    raise ValueError("on purpose")


def log(event, context):
    LOG.debug("a detail")
    LOG.info("for the record", extra={"cart": 7})
    LOG.error("it broke")


def memory(event, context):
    # Four times what the function may have, and no danger to a machine that does not stop it.
    return len([b"x" * 1024 * 1024 for _ in range(512)])


def big(event, context):
    return "x" * 7 * 1024 * 1024


def kill(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(event, context):
    time.sleep(600)


def meet(event, context):
    """Ends when as many invocations as asked for are in it."""
    open(os.path.join(event["folder"], context.aws_request_id), "w").close()
    while len(os.listdir(event["folder"])) < event["count"]:
        time.sleep(0.005)
    return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]


def handler(event, context):
    return DO.get(event.get("do"), report)(event, context)


DO = {"throw": throw, "log": log, "memory": memory, "big": big, "kill": kill, "hang": hang, "meet": meet}

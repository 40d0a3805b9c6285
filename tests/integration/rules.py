"""Rules that tests share, and the bounds that follow from them."""

NEVER = "1/1h"  # a refill_rate that brings nothing back while a test runs


def bucket(capacity, refill_rate=NEVER, **more):
    return {"algorithm": "token_bucket", "capacity": capacity, "refill_rate": refill_rate, **more}


def window(algorithm, limit, length="30d", **more):
    return {"algorithm": algorithm, "limit": limit, "window": length, **more}


# Each algorithm with a limit that does not come back while a test runs.
def each_algorithm(limit):
    return {"token_bucket": bucket(limit), "sliding_window": window("sliding_window", limit),
            "sliding_window_counter": window("sliding_window_counter", limit),
            "fixed_window": window("fixed_window", limit)}


# Each algorithm with a limit that comes back within half a second.
def each_quick_algorithm(limit):
    return {"token_bucket": bucket(limit, 4), "sliding_window": window("sliding_window", limit, "400ms"),
            "sliding_window_counter": window("sliding_window_counter", limit, "400ms"),
            "fixed_window": window("fixed_window", limit, "400ms")}


def at(path, rule, **match):
    """The rule for this path."""
    return {"match": {"path": path, **match}, **rule}


def rules_of(default, **others):
    """A rules file: default, and the others by their names."""
    return {"default": default, **others}


ROOMY = bucket(1000000, "1000/1h")  # for those who do not care, and yet a key stays in Redis


def most_allowed(capacity, refill_per_s, elapsed_s):
    """What a token bucket may have let pass since it was full, that long ago."""
    return capacity + int(elapsed_s * refill_per_s)

"""What model calls cost, from the price list that genai-prices carries; nothing is downloaded."""

from functools import partial

from genai_prices import Usage as Tokens
from genai_prices import calc_price

from technoshare.models import Cost, Usage


def price(model: str, usage: Usage, base_url: str) -> Cost | None:
    """Return the price of one call, None when the model or its usage is unknown (which is not 0).

    The server's address names the provider; behind an unknown address, such as a company's gateway, a model
    that bears the name of one of OpenAI's is priced as OpenAI's.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    tokens = Tokens(
        input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens
    )
    for ask in (partial(calc_price, provider_api_url=base_url), partial(calc_price, provider_id="openai")):
        try:
            priced = ask(tokens, model)
        except (LookupError, ValueError):  # ValueError: token counts that contradict one another
            continue
        return Cost(input=float(priced.input_price), output=float(priced.output_price), total=float(priced.total_price))
    return None

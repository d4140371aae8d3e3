"""What known servers do with a request, one behavior for each name. The answer behind each is a sound one.

`seen`: where it was reported or documented. Nothing here was recorded from a maker's service; the wording of errors is
as the reports quote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.quirks.shapes import TOOL, Body, Response, call, calls, completed, refusal, text, tokens

Answer = Callable[[Body, str], Response]


@dataclass(frozen=True, slots=True)
class Behavior:
    """What a server does with a request for which `good` is a sound answer."""

    answer: Answer
    seen: str


BEHAVIORS: Final[dict[str, Behavior]] = {}


def _behavior(name: str, seen: str) -> Callable[[Answer], Answer]:
    def add(answer: Answer) -> Answer:
        BEHAVIORS[name] = Behavior(answer, seen)
        return answer

    return add


def _asked(request: Body, good: str) -> Response:
    """A call if tools were sent, else text."""
    return calls(request, call(good)) if request.get("tools") else text(request, good)


def _wants_schema(request: Body) -> bool:
    return bool((request.get("response_format") or {}).get("type") == "json_schema" or request.get("format"))


def _wants_json(request: Body) -> bool:
    return bool((request.get("response_format") or {}).get("type") in ("json_schema", "json_object"))


_CONTEXT: Final = 4096

# ---------------------------------------------------------------- sound


@_behavior("sound", "OpenAI")
def _sound(request: Body, good: str) -> Response:
    return _asked(request, good)


@_behavior("stop-after-call", "vLLM and OpenAI: a named call ends with finish_reason stop (vllm PR 25054)")
def _stop_after_call(request: Body, good: str) -> Response:
    return calls(request, call(good), finish="stop") if request.get("tools") else text(request, good)


@_behavior("other-model-name", "routers: another model's name in the answer")
def _other_model_name(request: Body, good: str) -> Response:
    response = _asked(request, good)
    return Response(response.body | {"model": "accounts/fireworks/models/other#a1b2"})


@_behavior("without-usage", "some proxies")
def _without_usage(request: Body, good: str) -> Response:
    body = _asked(request, good).body
    return Response({name: part for name, part in body.items() if name != "usage"})


@_behavior("only-choices", "some proxies: no id, object, created, model or usage")
def _only_choices(request: Body, good: str) -> Response:
    return Response({"choices": _asked(request, good).body["choices"]})


# ---------------------------------------------------------------- the request is refused


@_behavior("word-choice-only", "LM Studio (lmstudio-bug-tracker 670): only words as tool_choice")
def _word_choice_only(request: Body, good: str) -> Response:
    if isinstance(request.get("tool_choice"), dict):
        return Response(
            {"error": "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"}, 400
        )
    return _asked(request, good)


@_behavior("any-but-no-object", "Mistral in 2024 (client-python 78)")
def _any_but_no_object(request: Body, good: str) -> Response:
    if request.get("tool_choice") not in (None, "auto", "none", "any"):
        fault = {"type": "enum", "loc": ["body", "tool_choice"], "msg": "Input should be 'auto', 'none' or 'any'"}
        return Response({"object": "error", "message": {"detail": [fault]}, "type": "invalid_request_error"}, 422)
    return _asked(request, good)


@_behavior("no-tools", "Ollama: a model without tools")
def _no_tools(request: Body, good: str) -> Response:
    if request.get("tools"):
        return refusal(400, f"registry.ollama.ai/library/{request.get('model')} does not support tools")
    return text(request, good)


@_behavior("no-jinja", "llama-server without --jinja")
def _no_jinja(request: Body, good: str) -> Response:
    if request.get("tools"):
        return refusal(500, "tools param requires --jinja flag", code=500, type="server_error")
    return text(request, good)


@_behavior("no-schema", "DeepSeek, older servers: response_format json_schema is refused")
def _no_schema(request: Body, good: str) -> Response:
    if _wants_schema(request):
        return refusal(400, "This response_format type is unavailable now")
    return _asked(request, good)


@_behavior("thinks-no-forced-tool", "DeepSeek V4, Qwen and Kimi while thinking (DeepSeek-V3 issue 1376)")
def _thinks_no_forced_tool(request: Body, good: str) -> Response:
    off = (request.get("thinking") or {}).get("type") == "disabled"
    if request.get("tool_choice") not in (None, "auto", "none") and not off:
        return refusal(400, "Thinking mode does not support this tool_choice")
    if _wants_schema(request):
        return refusal(400, "This response_format type is unavailable now")
    return _asked(request, good)


@_behavior("no-forced-tool", "Anthropic Opus 5.5 and Fable 5.1 behind a compatible endpoint")
def _no_forced_tool(request: Body, good: str) -> Response:
    if request.get("tool_choice") not in (None, "auto", "none"):
        return refusal(400, "tool_choice: Thinking may not be enabled when tool_choice forces tool use.")
    return text(request, good)


@_behavior("tools-need-effort-none", "OpenAI gpt-5.6 in chat completions (litellm PR 34569)")
def _tools_need_effort_none(request: Body, good: str) -> Response:
    effort = request.get("reasoning_effort")
    if request.get("tools") and effort != "none":
        return refusal(
            400,
            f"Function tools with reasoning_effort are not supported for {request.get('model')} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
            param="reasoning_effort",
        )
    if "temperature" in request and effort != "none":
        return refusal(
            400,
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is "
            "supported.",
            param="temperature",
            code="unsupported_value",
        )
    return _asked(request, good)


@_behavior("responses-only-tools", "OpenAI gpt-6.1: no tools in chat completions, no effort none")
def _responses_only_tools(request: Body, good: str) -> Response:
    if request.get("reasoning_effort") in ("none", "minimal"):
        return refusal(
            400,
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
            param="reasoning_effort",
            code="unsupported_value",
        )
    if request.get("tools"):
        return refusal(
            400,
            f"Function tools with reasoning_effort are not supported for {request.get('model')} in "
            "/v1/chat/completions. To use function tools, use /v1/responses.",
            param="reasoning_effort",
        )
    if "temperature" in request:
        return refusal(
            400,
            "Unsupported value: 'temperature' does not support 0 with this model.",
            param="temperature",
            code="unsupported_value",
        )
    return text(request, good)


@_behavior("unknown-field", "TGI and strict proxies: HTTP 422 for a field they do not know")
def _unknown_field(request: Body, good: str) -> Response:
    for name in ("tool_choice", "response_format", "seed"):
        if name in request:
            fault = {"loc": ["body", name], "msg": "extra fields not permitted", "type": "value_error.extra"}
            return Response({"detail": [fault]}, 422)
    return text(request, good)


@_behavior("no-route-for-tool-choice", "OpenRouter: no provider of the model takes tool_choice (zed 36094)")
def _no_route_for_tool_choice(request: Body, good: str) -> Response:
    if "tool_choice" in request:
        return Response(
            {
                "error": {
                    "message": "No endpoints found that support the provided 'tool_choice' value. To learn more about "
                    "provider routing, visit: https://openrouter.ai/docs/provider-routing",
                    "code": 404,
                }
            },
            404,
        )
    return text(request, good)


@_behavior("call-does-not-fit", "Groq: the model's call does not fit the schema (groq-typescript 28)")
def _call_does_not_fit(request: Body, good: str) -> Response:
    if request.get("tools"):
        return refusal(
            400,
            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
            code="tool_use_failed",
            failed_generation=good[:300],
        )
    return text(request, good)


# ---------------------------------------------------------------- no mode helps


@_behavior("model-missing", "Ollama: the model was not pulled")
def _model_missing(request: Body, good: str) -> Response:
    return refusal(404, f"model '{request.get('model')}' not found", type="not_found_error")


@_behavior("deployment-missing", "Azure: a wrong name of the deployment")
def _deployment_missing(request: Body, good: str) -> Response:
    return refusal(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")


@_behavior("key-rejected", "every maker")
def _key_rejected(request: Body, good: str) -> Response:
    return refusal(401, "Incorrect API key provided.", code="invalid_api_key")


@_behavior("no-credits", "OpenRouter")
def _no_credits(request: Body, good: str) -> Response:
    return Response(
        {"error": {"message": "This request requires more credits, or fewer max_tokens.", "code": 402}}, 402
    )


@_behavior("prompt-filtered", "Azure: its content filter on the prompt")
def _prompt_filtered(request: Body, good: str) -> Response:
    return refusal(
        400,
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code="content_filter",
        innererror={"code": "ResponsibleAIPolicyViolation"},
    )


@_behavior("too-long-openai", "OpenAI: context_length_exceeded")
def _too_long_openai(request: Body, good: str) -> Response:
    return refusal(400, "This model's maximum context length is 4096 tokens.", code="context_length_exceeded")


@_behavior("too-long-vllm", "vLLM: prompt and answer longer than max_model_len")
def _too_long_vllm(request: Body, good: str) -> Response:
    return refusal(
        400,
        f"This model's maximum context length is 4096 tokens. However, your request has {tokens(request)} input tokens.",
        type="BadRequestError",
        param="input_tokens",
        code=400,
    )


@_behavior("too-long-llama-server", "llama-server: a prompt longer than a slot's context")
def _too_long_llama_server(request: Body, good: str) -> Response:
    return refusal(
        400,
        f"request ({tokens(request)} tokens) exceeds the available context size (4096 tokens), try increasing it",
        type="exceed_context_size_error",
        code=400,
        n_prompt_tokens=tokens(request),
        n_ctx=4096,
    )


@_behavior("too-long-ollama", "Ollama 0.32 and later, on some models")
def _too_long_ollama(request: Body, good: str) -> Response:
    return refusal(
        400,
        "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the "
        "context length in settings, or use a model with a longer context length",
    )


# ---------------------------------------------------------------- HTTP 200, and no answer


@_behavior("error-in-200", "OpenRouter: the provider's error with HTTP 200 (inspect_ai 1534)")
def _error_in_200(request: Body, good: str) -> Response:
    return Response({"error": {"message": "Provider returned error", "code": 502}, "choices": None})


@_behavior("error-in-choice", "OpenRouter: an error during generation")
def _error_in_choice(request: Body, good: str) -> Response:
    body = text(request, "", finish="error").body
    body["choices"][0]["error"] = {"code": 502, "message": "Upstream idle timeout exceeded"}
    return Response(body)


@_behavior("no-choices", "some proxies")
def _no_choices(request: Body, good: str) -> Response:
    return Response(_asked(request, good).body | {"choices": []})


@_behavior("empty-text", "LM Studio 1904: empty text whatever is asked")
def _empty_text(request: Body, good: str) -> Response:
    return text(request, "")


@_behavior("web-page", "a wrong address: the page of a web server")
def _web_page(request: Body, good: str) -> Response:
    return Response("<!doctype html><html><body>Open WebUI</body></html>")


@_behavior("refused", "OpenAI: a refusal")
def _refused(request: Body, good: str) -> Response:
    return completed(request, {"content": None, "refusal": "I'm sorry, I can't assist with that."})


@_behavior("answer-filtered", "Azure, OpenAI")
def _answer_filtered(request: Body, good: str) -> Response:
    return text(request, None, finish="content_filter")


@_behavior("cut-off", "every server: the answer reaches its length limit")
def _cut_off(request: Body, good: str) -> Response:
    if request.get("tools"):
        return calls(request, call(good[:900]), finish="length")
    return text(request, good[:900], finish="length")


# ---------------------------------------------------------------- the mode is not understood


@_behavior("ignores-tools", "Ollama: tool_choice is unknown to it, and the model answers in text")
def _ignores_tools(request: Body, good: str) -> Response:
    return text(request, good)


@_behavior("prose-for-tools", "llama.cpp 27129: the template has no tools, so rules and tool are dropped")
def _prose_for_tools(request: Body, good: str) -> Response:
    if request.get("tools"):
        usage = {"prompt_tokens": 700, "completion_tokens": 40, "total_tokens": 740}
        return text(request, "**Stage**: day 2\n**Buyer**: VP engineering (inferred)\n", usage=usage)
    return text(request, good)


@_behavior("empty-arguments", "SGLang: a named tool without strict is not constrained (PR 40051)")
def _empty_arguments(request: Body, good: str) -> Response:
    if not request.get("tools"):
        return text(request, good)
    strict = request["tools"][0]["function"].get("strict")
    return calls(request, call(good if strict else "{}"))


@_behavior("empty-for-schema", "LM Studio, some builds: a schema is answered with empty text")
def _empty_for_schema(request: Body, good: str) -> Response:
    return text(request, "") if _wants_schema(request) else _asked(request, good)


@_behavior("prose-for-schema", "Anthropic's compatible endpoint: response_format is ignored")
def _prose_for_schema(request: Body, good: str) -> Response:
    if request.get("tools"):
        return calls(request, call(good))
    return text(request, "The pitch is about GPUs." if _wants_json(request) else good)


@_behavior("null-arguments", "some proxies: a call whose arguments are null")
def _null_arguments(request: Body, good: str) -> Response:
    return calls(request, call(None)) if request.get("tools") else text(request, good)


# ---------------------------------------------------------------- the answer is elsewhere, or wrapped


@_behavior("code-fence", "many chat models")
def _code_fence(request: Body, good: str) -> Response:
    return text(request, f"Here is the record:\n\n```json\n{good}\n```\nLet me know if you need more.")


@_behavior("thinking-tags", "Qwen, DeepSeek and others without a parser for reasoning")
def _thinking_tags(request: Body, good: str) -> Response:
    thought = 'The structure is {"instructions": [...], "in_scope": ...}. Let me fill {product}.'
    return text(request, f"<think>\n{thought}\n</think>\n\n```json\n{good}\n```")


@_behavior("thinking-unopened", "Qwen 3: the template opens the tag, so only its end is in the answer")
def _thinking_unopened(request: Body, good: str) -> Response:
    return text(request, f"Let me fill {{product}}.\n</think>\n\n{good}")


@_behavior("reasoning-field", "vLLM with a reasoning parser: all of it in reasoning_content")
def _reasoning_field(request: Body, good: str) -> Response:
    return completed(request, {"content": None, "reasoning_content": f"Okay, let's see. {good}"})


@_behavior("note-after", "chat models: a remark with a brace follows the answer")
def _note_after(request: Body, good: str) -> Response:
    return text(request, f"{good}\n\nNote: fields like {{buyer}} are unknown because the pitch is silent.")


@_behavior("tool-call-tags", "Hermes and Qwen on a server without a parser for calls")
def _tool_call_tags(request: Body, good: str) -> Response:
    return text(request, f"<tool_call>\n{json.dumps(_named(good))}\n</tool_call>")


@_behavior("call-as-text", "Llama 3.1 on a server without a parser for calls")
def _call_as_text(request: Body, good: str) -> Response:
    return text(request, json.dumps({"type": "function", "name": TOOL, "parameters": json.loads(good)}))


@_behavior("tool-calls-token", "Mistral on a server without a parser for calls")
def _tool_calls_token(request: Body, good: str) -> Response:
    return text(request, f"[TOOL_CALLS]{json.dumps([_named(good)])}")


@_behavior("under-the-tools-name", "small models: an envelope named like the tool")
def _under_the_tools_name(request: Body, good: str) -> Response:
    return _asked(request, json.dumps({TOOL: json.loads(good)}))


@_behavior("under-properties", "small models copy the schema")
def _under_properties(request: Body, good: str) -> Response:
    return _asked(request, json.dumps({"type": "object", "properties": json.loads(good)}))


@_behavior("function-call", "old servers: function_call in place of tool_calls")
def _function_call(request: Body, good: str) -> Response:
    return completed(request, {"content": None, "function_call": {"name": TOOL, "arguments": good}}, "function_call")


@_behavior("other-tool-name", "small models")
def _other_tool_name(request: Body, good: str) -> Response:
    return calls(request, call(good, "functions.record_signals"))


@_behavior("arguments-as-object", "some proxies")
def _arguments_as_object(request: Body, good: str) -> Response:
    return calls(request, call(json.loads(good)))


@_behavior("arguments-encoded-twice", "small models")
def _arguments_encoded_twice(request: Body, good: str) -> Response:
    return calls(request, call(json.dumps(good)))


@_behavior("text-encoded-twice", "small models")
def _text_encoded_twice(request: Body, good: str) -> Response:
    return text(request, json.dumps(good))


@_behavior("same-call-twice", "small models")
def _same_call_twice(request: Body, good: str) -> Response:
    return calls(request, call(good), call(good, id="call_2"))


@_behavior("empty-call-first", "small models")
def _empty_call_first(request: Body, good: str) -> Response:
    return calls(request, call("{}"), call(good, id="call_2"))


@_behavior("one-call-per-part", "models that call in parallel: the fields are spread over several calls")
def _one_call_per_part(request: Body, good: str) -> Response:
    parts = list(json.loads(good).items())
    made = [call(json.dumps(dict(parts[at : at + 7])), id=f"call_{at}") for at in range(0, len(parts), 7)]
    return calls(request, *made)


@_behavior("content-in-parts", "Mistral's thinking models, some proxies")
def _content_in_parts(request: Body, good: str) -> Response:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm {x}"}]}
    return completed(request, {"content": [thinking, {"type": "text", "text": good}]})


@_behavior("optional-fields-missing", "small models leave out what is unknown")
def _optional_fields_missing(request: Body, good: str) -> Response:
    parts = json.loads(good)
    left = {
        name: part
        for name, part in parts.items()
        if name != "instructions" and not (isinstance(part, dict) and part.get("value") == "unknown")
    }
    return _asked(request, json.dumps(left))


@_behavior("trailing-comma", "small models")
def _trailing_comma(request: Body, good: str) -> Response:
    return _asked(request, f"{good.rstrip()[:-1]},}}")


# ---------------------------------------------------------------- the prompt is cut


@_behavior("silently-cut", "Ollama with its default of 4,096 tokens: the last 2,050 tokens reach the model")
def _silently_cut(request: Body, good: str) -> Response:
    if tokens(request) <= _CONTEXT:
        return text(request, good)
    return _from_the_tail(request, good)


@_behavior("always-cut", "the same, however short the prompt; the model still answers, with nothing to go by")
def _always_cut(request: Body, good: str) -> Response:
    return _from_the_tail(request, good, share=0.3)


def _from_the_tail(request: Body, good: str, share: float | None = None) -> Response:
    taken = 2050 if share is None else int(tokens(request) * share)
    parts: Any = json.loads(good)
    for name, part in parts.items():
        if isinstance(part, dict) and "value" in part:
            parts[name] = {**part, "value": "unknown"}
            parts[name] |= {"quotes": [], "basis": "absent"} if "quotes" in part else {}
        elif isinstance(part, list):
            parts[name] = []
    usage = {"prompt_tokens": taken, "completion_tokens": 300, "total_tokens": taken + 300}
    answer = json.dumps(parts)
    return calls(request, call(answer), usage=usage) if request.get("tools") else text(request, answer, usage=usage)


def _named(good: str) -> Body:
    return {"name": TOOL, "arguments": json.loads(good)}

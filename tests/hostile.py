"""Lines of a recording that want to do harm: in texts, names, addresses, and as no JSON at all.

A script that runs sets ``__pwned``.
"""

import json

from tests.wall.posts import ADDRESSES

RUN = "window.__pwned=top.__pwned=1"

MARKUP = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<img src='data:image/svg+xml,<svg onload={RUN}>'>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f'<svg><a xlink:href="javascript:{RUN}"><text y=20>x</text></a></svg>',
    f"<math><mtext></p><img src onerror={RUN}></math>",
    f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
    f"<iframe src=javascript:{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src=javascript:{RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<details open ontoggle={RUN}>x</details>",
    f"<video><source onerror={RUN}></video>",
    f"<body onload={RUN}>",
    f"<style onload={RUN}>*{{display:none}}</style>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    f"<form action=javascript:{RUN}><button autofocus onfocus={RUN}>x</button></form>",
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
]

BREAKERS = [
    f'" onmouseover="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f"</textarea></title></style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<!--<script>{RUN}",
    f'"}}];{RUN};//',
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\u2028{RUN}\u2029",
    f"\0<script>{RUN}</script>",
    f"\ud800<script>{RUN}</script>",
    # As X escapes a text: it is unescaped once, for reading.
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&amp;lt;script&amp;gt;{RUN}&amp;lt;/script&amp;gt;",
    f"{{{{ request }}}}{{% debug %}}${{{RUN}}}",
    '{"__proto__": {"text": "x"}}',
    f"\u202e<script>{RUN}</script>\u2066 from right to left",
    "e" + "\u0301" * 400,
    "no blank " + "w" * 5000,
]

NOT_POSTS = ["", "<html>", "{", "[]", '{"data": []}', '{"data": {"id": 1e999, "text": "x"}}', '"\\ud800"']


def hostile_lines():
    texts = [_line(number, harm, "https://a.example/") for number, harm in enumerate(BREAKERS + MARKUP)]
    links = [_line(500 + number, "#harm", address) for number, address in enumerate(ADDRESSES)]
    links += [_line(900, "#harm", f"javascript:{RUN}"), _line(901, "#harm", f"data:text/html,{MARKUP[0]}")]
    return [json.dumps(line) for line in links + texts]


def _line(number, harm, address):
    """One post with the harm and the address in every place that a stranger fills in."""
    return {
        "data": {
            "id": str(1000 + number),
            "text": harm,
            "author_id": "7",
            "lang": harm,
            "created_at": "2026-05-14T09:00:00.000Z",
            "attachments": {"media_keys": ["3_1"]},
            "entities": {
                "urls": [
                    {"start": 0, "end": 2, "url": address, "expanded_url": address, "display_url": harm}
                ],
                "hashtags": [{"start": 2, "end": 4, "tag": harm}],
                "mentions": [{"start": 4, "end": 5, "username": harm}],
            },
        },
        "includes": {
            "users": [{"id": "7", "name": harm, "username": harm, "profile_image_url": address}],
            "media": [{"media_key": "3_1", "type": "photo", "url": address, "alt_text": harm}],
        },
    }

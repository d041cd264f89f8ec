#!/usr/bin/env python3
"""embed.py SERVICE OUT writes a C++ header with the bundled contract of a service and its page, for the build."""
import json
import pathlib
import sys

import bundle
import page

PAGE_BYTES_MAX = 96 * 1024  # so that it opens at once, and is never the reason for a large program

HEADER = '''// Made from contracts/{service}.yaml by contracts/embed.py.
#pragma once
#include "platform/http/contract_pages.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"  // longer than C++ compilers must take
namespace trackops::contracts {{
inline constexpr http::Contract {name}{{
    .openapi = R"contract({openapi})contract",
    .docs = R"contract({docs})contract"}};
}}  // namespace trackops::contracts
#pragma GCC diagnostic pop
'''


def main(service, out):
    document = bundle.bundled(service)
    docs = page.page(document, bundle.every_operation())
    size = len(docs.encode())
    if size > PAGE_BYTES_MAX:
        sys.exit(f"the page of {service} has {size} bytes, more than {PAGE_BYTES_MAX}")
    text = HEADER.format(service=service, name=service.replace("-", "_"), docs=docs,
                         openapi=json.dumps(document, ensure_ascii=False, separators=(",", ":")))
    pathlib.Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Writes the dashboards beside this file from the tables of boards.py. Run it after a change there; tests/test_alerts.py compares the two."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from boards import BOARDS  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24  # of Grafana's grid
WIDTHS = {"stat": 4, "timeseries": 8}
HEIGHTS = {"stat": 4, "timeseries": 8}


def target(number, expression, legend):
    return {"datasource": SOURCE, "editorMode": "code", "expr": expression, "legendFormat": legend, "range": True, "refId": chr(ord("A") + number)}


def panel(identity, place, kind, title, description, unit, queries):
    made = {"id": identity, "type": kind, "title": title, "description": description, "datasource": SOURCE, "gridPos": place,
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [target(number, *query) for number, query in enumerate(queries)]}
    if kind == "stat":
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    else:
        made["fieldConfig"]["defaults"]["custom"] = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never"}
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    return made


def panels(sections):
    """Each section begins a line of its own; its panels stand side by side."""
    made, y = [], 0
    for heading, members in sections:
        made.append({"id": len(made) + 1, "type": "row", "title": heading, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        x, y, height = 0, y + 1, 0
        for kind, *rest in members:
            if x + WIDTHS[kind] > COLUMNS or (height and height != HEIGHTS[kind]):
                x, y = 0, y + height
            height = HEIGHTS[kind]
            made.append(panel(len(made) + 1, {"x": x, "y": y, "w": WIDTHS[kind], "h": height}, kind, *rest))
            x += WIDTHS[kind]
        y += height
    return made


def board(name, title, description, variables, sections):
    listed = [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}]
    listed += [{"name": variable, "label": label, "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": variable}, "refresh": 2,
                "includeAll": True, "allValue": ".*", "multi": True, "current": {"text": "All", "value": "$__all"}} for variable, label, query in variables]
    return {"uid": f"trackops-{name}", "title": title, "description": description, "tags": ["trackops"], "schemaVersion": 38, "version": 1, "editable": True,
            "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timezone": "", "templating": {"list": listed}, "annotations": {"list": []},
            "links": [{"type": "dashboards", "title": "TrackOps", "tags": ["trackops"], "asDropdown": True}], "panels": panels(sections)}


def files():
    """{path: text}"""
    return {FOLDER / f"{name}.json": json.dumps(board(name, *rest), indent=1, ensure_ascii=False) + "\n" for name, *rest in BOARDS}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)

"""What a form sends for its controls and its buttons, as a browser does."""

from urllib.parse import urlencode

import pytest

from relogin.client.logins.forms.page import forms

CONTROLS = """
<form method=post>
<select name=domain><option value=a>A<option value=b selected>B</select>
<select name=host><option>db1 &amp;\n two</option><option value=db2></option></select>
<select name=off disabled><option>1</select><select name=many multiple><option>1</select>
<select><option>1</select><select name=none></select>
<select name=last><option disabled>Choose<option value=one></select>
<datalist><option value=1></datalist>
<textarea name=note>a &lt; b</textarea><textarea name=open>x</textarea>
<input name=gone value=1 disabled><input type=hidden name=csrf value=1>
</form>
"""


def test_all_controls_are_sent_as_a_browser_sends_them_untouched() -> None:
    [form] = forms(CONTROLS)
    assert form.values == {
        "domain": "b",
        "host": "db1 & two",
        "last": "one",
        "note": "a < b",
        "open": "x",
        "csrf": "1",
    }
    assert {"off", "many", "gone"} <= form.names
    assert forms("<form><textarea name=a>bc")[0].values == {"a": "bc"}


# What Chromium 156 sends for each.
@pytest.mark.parametrize(
    ("controls", "sent"),
    [
        ("<fieldset disabled><input name=a></fieldset><input name=b>", "b="),
        (
            "<fieldset disabled><legend><input name=a></legend><legend><input name=b></legend>",
            "a=",
        ),
        (
            "<select multiple name=a><option selected>1<option>2<option selected>3</select>",
            "a=1&a=3",
        ),
        ("<select name=a><option selected disabled>Choose<option>1</select>", ""),
        ("<select name=a><option selected>1<option selected>2</select>", "a=2"),
        ("<select name=a size=3><option>1</select>", ""),
        ("<select name=a size=01><option>1</select>", "a=1"),
        (
            "<select name=a><optgroup disabled><option>1</optgroup><option>2</select>",
            "a=2",
        ),
        ("<select name=a><option> 1 <!--<option>--> <b>2\n3</b></option>4</select>", "a=1+2+3"),
        ("<select name=a><option>1&nbsp;</select>", "a=1%C2%A0"),
        ("<select name=a><option value=1><input name=b><option value=2>", "a=1&b="),
        ("<input form=f name=a><input form=other name=b><input form='' name=c>", "a="),
        ("<form action=/other><input name=a>", "a="),
        ("<template><template></template><input name=a></template><input name=b>", "b="),
        ("<input name=a value=1><input name=b><input name=a value=2>", "a=1&b=&a=2"),
        ("<input name=a type=radio value=1 checked><input name=a type=radio checked>", "a=on"),
        ("<textarea name=a>\n\n1\r\n<b>&lt;</textarea>", "a=%0D%0A1%0D%0A%3Cb%3E%3C"),
        ("<textarea name=a><input name=b></textarea><title><input name=c></title>", None),
        ("<script-loader></script-loader><input name=a>", "a="),
        ("<!--><input name=a><!---><input name=b><!-- --!><input name=c>", "a=&b=&c="),
        ("</fieldset></template><option></optgroup><input name=a>", "a="),
        ("<input name=a placeholder=don't><input name=b value=x\"y>", "a=&b=x%22y"),
        ("<input value=1 =\"x><input a=b\"c name=d><input ='>' name=f>", "d="),
        ("<input name=a/value=1><input name='b'value='/'/>", "a%2Fvalue%3D1=&b=%2F"),
        ("<input name=a value='1\n2'><input type=hidden name=b value='1\r2'>", "a=12&b=1%0D%0A2"),
        ("<select name=a><option value='1\n2'></select>", "a=1%0D%0A2"),
        ("<input type=file name=a value=1><input type=file name=b disabled>", "a="),
        ("<input type=email name=a value=' 1\t'><input name=b value=' 1 '>", "a=1&b=+1+"),
        ("<input type=url name=a value=' 1 '><input type=password name=b value=' '>", "a=1&b=+"),
    ],
)
def test_a_form_is_sent_as_chromium_sends_it(controls: str, sent: str | None) -> None:
    form = forms(f"<form id=f>{controls}</form><form id=f><input name=z></form>")[0]
    assert urlencode(form.sent) == (sent if sent is not None else "a=%3Cinput+name%3Db%3E")


# What Chromium 156 sends for each, and where, if Enter is pressed.
@pytest.mark.parametrize(
    ("controls", "sent", "target"),
    [
        ("<input type=submit name=a value=1><button name=b>", "a=1", "post /in"),
        ("<input type=SUBMIT name=a>", "a=Submit", "post /in"),
        ("<button name=a></button>", "a=", "post /in"),
        ("<button name=a type=file value=1></button>", "a=1", "post /in"),
        ("<button name=a type=button></button><button name=b type=reset></button>", "", "post /in"),
        ("<button type=button name=a></button><button name=b value=2></button>", "b=2", "post /in"),
        ("<input type=image name=a value=1>", "a.x=0&a.y=0", "post /in"),
        ("<input type=image>", "x=0&y=0", "post /in"),
        ("<button value=1></button><button name=b></button>", "", "post /in"),
        ("<button form=other name=a></button><button name=b></button>", "b=", "post /in"),
        ("<button formaction=/there></button>", "", "post /there"),
        ("<button formaction='' name=a></button>", "a=", "post "),
        ("<button formmethod=GET></button>", "", "get /in"),
        ("<button formmethod=''></button>", "", " /in"),
        ("<input name=a><button name=b value=1></button><input name=c>", "a=&c=&b=1", "post /in"),
    ],
)
def test_a_form_is_sent_by_its_default_button_as_chromium_does(
    controls: str, sent: str, target: str
) -> None:
    form = forms(f"<form action=/in method=post>{controls}</form>")[0].pressed()
    assert (urlencode(form.sent), f"{form.method} {form.action}") == (sent, target)


def test_a_default_button_that_is_disabled_is_not_pressed_and_neither_is_the_next() -> None:
    page = "<form><button name=a disabled formaction=/no></button><button name=b></button></form>"
    form = forms(page)[0].pressed()
    assert (form.sent, form.action) == ([], "")


def test_a_control_may_stand_anywhere_and_name_its_form() -> None:
    page = "<input form=f name=a value=1><form><input type=password form=f name=b></form>"
    first, second = forms(f"{page}<form id=f></form><form id=f></form>")[:2]
    assert (first.names, second.values) == (set(), {"a": "1", "b": ""})
    assert second.asks_password


# What Chromium 156 sends for a page's own values, whose browser corrects them.
@pytest.mark.parametrize(
    ("control", "sent"),
    [
        ("type=range", "50"),
        ("type=range value=abc", "50"),
        ("type=range value=' 5'", "50"),
        ("type=range value=7 max=5", "5"),
        ("type=range value=-3", "0"),
        ("type=range value=3.7", "3.7"),
        ("type=range value=3.7 step=any", "3.7"),
        ("type=range min=10 max=20", "15"),
        ("type=range min=5 max=1", "5"),
        ("type=range min=1 max=4", "3"),
        ("type=range min=0.5 max=1", "0.5"),
        ("type=range min=x max=y value=50", "50"),
        ("type=range min=0 max=10 step=4 value=5", "4"),
        ("type=range min=3 max=10 step=5 value=7", "8"),
        ("type=range min=0 max=1 step=0.1 value=0.55", "0.6"),
        ("type=color", "#000000"),
        ("type=color value=bogus", "#000000"),
        ("type=color value=#ABCDEF", "#abcdef"),
        ("type=color value=#abc", "#aabbcc"),
        ("type=color value=' #aabbccdd '", "#aabbcc"),
        ("type=number value=abc", ""),
        ("type=number value=' 5'", ""),
        ("type=number value=5.", ""),
        ("type=number value=+5", ""),
        ("type=number value=1e999", ""),
        ("type=number value='5\n'", ""),
        ("type=number value=.5", ".5"),
        ("type=number value=1E+2", "1E+2"),
        ("type=number value=007", "007"),
        ("type=date value=2024-02-29", "2024-02-29"),
        ("type=date value=12345-01-01", "12345-01-01"),
        ("type=date value=2023-02-29", ""),
        ("type=date value=0000-01-01", ""),
        ("type=date value=24-1-1", ""),
        ("type=month value=2024-12", "2024-12"),
        ("type=month value=2024-13", ""),
        ("type=week value=2020-W53", "2020-W53"),
        ("type=week value=2024-W53", ""),
        ("type=week value=2020-w53", ""),
        ("type=week value=0000-W01", ""),
        ("type=time value=23:59:59.12", "23:59:59.12"),
        ("type=time value=24:00", ""),
        ("type=time value=23:59:59.1234", ""),
        ("type=datetime-local value='2024-01-01 10:00'", "2024-01-01T10:00"),
        ("type=datetime-local value=2024-01-01T10:00:00", "2024-01-01T10:00"),
        ("type=datetime-local value=2024-01-01T10:00:30.500", "2024-01-01T10:00:30.5"),
        ("type=datetime-local value=2024-02-30T10:00", ""),
        ("type=datetime-local value=2024-01-01t10:00", ""),
    ],
)
def test_a_value_that_nobody_touched_is_corrected(control: str, sent: str) -> None:
    [form] = forms(f"<form><input name=a {control}>")
    assert form.values == {"a": sent}


# And these, as it does.
@pytest.mark.parametrize(
    ("control", "sent"),
    [
        ("step=0 value=3.7", "3.7"),
        ("step=-1 min=0 value=3.7", "4"),
        ("min=0.5 max=0.7 step=any value=0.9", "0.7"),
        ("min=2 max=2.5 value=2.2 step=9", "2"),
        ("value=7 step=10 max=5", "5"),  # no step lies within
        ("value=-3 step=10", "7"),
        ("max=1e-9999", "0"),
    ],
)
def test_a_range_whose_steps_do_not_fit_stays_within_its_bounds(control: str, sent: str) -> None:
    [form] = forms(f"<form><input type=range name=a {control}>")
    assert form.values == {"a": sent}


def test_what_you_fill_in_is_not_corrected() -> None:
    [form] = forms("<form><input type=number name=code>")
    assert form.filled({"code": "123 456"}, "utf-8") == [("code", "123 456")]


@pytest.mark.parametrize("digits", ["1" * 300_000, f"0.{'1' * 300_000}", f"{'1' * 300}e9999"])
def test_a_number_without_an_end_takes_linear_time(digits: str) -> None:
    kinds = "".join(
        f"<input type={kind} name={kind} value={digits} min={digits} max={digits} step={digits}>"
        for kind in ("number", "range", "date", "time", "week", "datetime-local")
    )
    assert forms(f"<form>{kinds}")[0].values["date"] == ""

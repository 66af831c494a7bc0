"""On several exchanges too the live path equals the backtest, to the last bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hypothesis_examples import examples
from tests.live.replays import assert_equal, backtest, replay_live
from tests.live.worlds import KINDS, draw_world


@pytest.mark.parametrize("kind", KINDS)
@examples(6)
@given(
    seed=st.integers(0, 2**32 - 1),
    price=st.sampled_from(["open", "close"]),
    delay=st.integers(1, 3),
)
def test_a_world_drawn_at_random_is_traded_live_as_it_is_tested(
    tmp_path_factory, kind, seed, price, delay
) -> None:
    world = draw_world(seed, kind, execution={"price": price, "delay": delay})
    home = tmp_path_factory.mktemp("home")
    result = backtest(world.spec, world.market, home)
    replay = replay_live(result, home)
    assert_equal(replay)
    assert replay.compared.fills > 0

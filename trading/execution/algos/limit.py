"""A limit of a person: it rests there until it is filled, cancelled, or its time is over. It never chases. Pure."""

from trading.execution.algos.frame import AlgoState, Finish, Look, Phase, Place, Step, Terms, child_lots, with_arrival


def limit(state: AlgoState, look: Look, terms: Terms) -> Step:
    """One look, `universal` having had nothing to say."""
    assert look.touch is not None
    state = with_arrival(state, look.touch).moved(Phase.PASSIVE, look.now)
    if look.living is not None:
        return state, None
    if terms.limit is None or look.children >= terms.attempts:
        return state.done(Finish.ATTEMPTS, look.now), None
    quantity = child_lots(look, terms)
    return state, Place(quantity=quantity, limit=terms.grid.passive(terms.limit, quantity), is_passive=True)

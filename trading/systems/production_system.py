from trading.systems.buffered_position import BufferedPosition
from trading.errors import DataError
class S:
    def __init__(s, data, capital, base, zone): s.d=data; s.c=capital; s.b=base; s.portfolio=s
    def instrument_codes(s): return s.d.instrument_codes()
    def optimal_position(s, code):
        p=s.d.adjusted_prices(code).dropna(); m=s.d.multiple_prices(code); i=s.d.instrument(code)
        d=p.resample('1D').last().dropna(); vol=d.diff().ewm(35).std().iloc[-1]
        f=((d.ewm(16).mean()-d.ewm(64).mean())/vol).iloc[-1]*3.75
        fx=float(s.d.fx(i.currency,s.b).iloc[-1])
        n=s.c*.2/16/(vol*i.point_size*fx)*f/10/16*2.1
        k=m.dropna(subset=['PRICE']).iloc[-1]
        return BufferedPosition(lower=float(n-abs(n)*.1),upper=float(n+abs(n)*.1),optimal=float(n),reference_price=float(k.PRICE),reference_contract=k.PRICE_CONTRACT,as_of=p.index[-1].to_pydatetime())
def production_system(data, settings, capital, base, zone): return S(data,capital,base,zone)

"""The sample plant: four switches write badly for a quarter of an hour, and the line makes right of all of it."""

from collections import Counter
from pathlib import Path

from mediation.line import MediationLine, read_rules
from mediation.plant.assembler import waiting_calls
from mediation.plant.plant import Plant
from mediation.proving import Prover
from mediation.samples.plant import sample_plant, sample_switches
from mediation.samples.switches import MAKES
from mediation.standing import sequence_of, source_states

NOW_MS = 1_795_680_000_000
NUMBERS = [f"139000000{number:02}" for number in range(40)]


async def test_a_newcomer_sees_duplicates_corrections_held_and_unfinished_files_and_the_proof(tmp_path: Path) -> None:
    switches = sample_switches(tmp_path, NUMBERS, 1)
    async with sample_plant(tmp_path, 0):
        rules = read_rules(tmp_path / "plant")
        plant = Plant(tmp_path / "plant")
        line = MediationLine(plant, rules)
        taken = Counter[str]()
        unfinished = 0
        for second in range(900):
            now_ms = NOW_MS + second * 1_000
            for switch in switches:
                switch.tick(now_ms)
            if second % 30 == 29:
                for found in await line.collect(now_ms):
                    assert found.troubles == ()
                    taken[found.source] += found.taken
                    unfinished += found.unfinished
                line.decode(now_ms)
        assert all(taken[make.name] > 10 for make in MAKES), taken
        assert unfinished > 0, "files were looked at while they were written"
        proofs = list(Prover(plant, rules.formats).files())
        assert [each.differences for each in proofs if each.differences] == []
        assert sum(each.duplicates for each in proofs) > 0
        assert sum(each.dropped for each in proofs) > 0
        switched = [each for each in proofs if each.file.source == "msc"]
        assert sum(each.joined for each in switched) > 100, "parts are in calls"
        assert sum(each.duplicates for each in switched) > 0, "and some of them came twice"
        calls = waiting_calls(
            plant.parts.waiting(), {each.file.digest: rules.formats["msc"].parts for each in switched}
        )
        assert any(call.missing for call in calls), "a part never came"
        reasons = Counter(each.reason for each in plant.suspense.all())
        assert reasons["RECORD_CONFLICT"] > 0, "a switch corrected what it had sent"
        for source in rules.sources:
            report = sequence_of(plant, source)
            assert report is not None
            assert report.unnumbered == ()
            assert sum(gap.files for gap in report.missing) <= 1, "what was skipped came later"
        assert {each.state for each in source_states(plant, rules.sources, now_ms)} == {"well"}
        late = source_states(plant, rules.sources, now_ms + 3_600_000)
        assert {each.state for each in late} == {"late"}
        plant.close()

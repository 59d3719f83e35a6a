"""Options of the property test."""


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="thousands of random traces instead of hundreds")
    parser.addoption("--seeds", type=int, help="how many random traces")
    parser.addoption("--first-seed", type=int, default=0, help="the seed of the first one")
